"""Files that are too large for the service, which are never read into memory as a whole."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import Final

from batchscan.images import kinds
from batchscan.images.decoding.process import FileSource
from batchscan.images.file_name import agree, extension_of
from batchscan.images.judge import Judge
from batchscan.images.judged import image_of
from batchscan.images.kinds import ImageFormat
from batchscan.images.metadata import ifd
from batchscan.images.rules import Accepted, Rules, RuleViolation, too_large
from batchscan.images.sending import converted
from batchscan.images.signature import HEAD_BYTES, sniff
from batchscan.model import Image, NotSendable, Stat

_PART: Final = 1024 * 1024  # bytes that are hashed at once


@dataclass(frozen=True, slots=True)
class LargeFile:
    """An open file, with its stat and first bytes."""

    path: str
    status: Stat
    descriptor: int

    def inspect(self, judge: Judge, rules: Rules, *, convert: bool) -> Image | NotSendable:
        """Hash it, and with `convert` make what is sent; blocking.

        Raises:
            InspectionFailed: its format cannot be converted.
            OSError: it cannot be read.
        """
        kind = self._kind()
        if kind is None or not is_convertible(kind):
            raise too_large(self.status, rules)
        digest = self._sha256()
        try:
            extension, warning = agree(kind, os.path.basename(self.path))
            verdict = Accepted(
                kind.name,
                kind.format,
                kind.content_type,
                extension,
                0,
                0,
                (warning,) if warning else (),
                convert=True,
            )
            image = image_of(self.path, self.status, b"", digest, verdict)
            if not convert:
                return image
            source = FileSource(descriptor=self.descriptor)
            return converted(image, source, judge.decoders, rules, check_raw=True)
        except RuleViolation as unfit:
            width, height = unfit.size or (None, None)
            return NotSendable(
                self.path,
                self.status,
                unfit.reason,
                unfit.detail,
                digest,
                kind.format,
                width,
                height,
                by_conversion=True,
            )

    def _kind(self) -> ImageFormat | None:
        head = os.pread(self.descriptor, HEAD_BYTES, 0)
        kind = sniff(head)
        if kind is not kinds.TIFF:
            return kind
        if ifd.is_dng(self._read):
            return kinds.DNG
        return kinds.TIFF_RAWS.get(extension_of(os.path.basename(self.path)), kinds.TIFF)

    def _read(self, offset: int, size: int) -> bytes:
        try:
            return os.pread(self.descriptor, size, offset)
        except OverflowError:  # beyond any file
            return b""

    def _sha256(self) -> str:
        digest = hashlib.sha256()
        at = 0
        while part := os.pread(self.descriptor, _PART, at):
            digest.update(part)
            at += len(part)
        return digest.hexdigest()


def is_convertible(kind: ImageFormat) -> bool:
    """Whether a format can be converted, even if its decoder is not installed."""
    return kind.group in ("raster", "raw") or kind in kinds.CONVERTIBLE
