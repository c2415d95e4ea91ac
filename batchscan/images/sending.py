"""Making what is sent for a file: the same picture without metadata, or a JPEG made from it."""

from __future__ import annotations

import hashlib
import itertools
from contextlib import suppress
from dataclasses import replace
from typing import Final

from PIL import Image as PillowImage

from batchscan import version
from batchscan.images import kinds
from batchscan.images.bare import bare_copies
from batchscan.images.decoding.pool import ConvertedFile, Decoders
from batchscan.images.decoding.process import FileSource
from batchscan.images.file_name import safe_file_name
from batchscan.images.kinds import ImageFormat
from batchscan.images.metadata import provenance
from batchscan.images.metadata.strip import CannotStrip, strip
from batchscan.images.metadata.stripping import keeps_orientation
from batchscan.images.raster import open_raster
from batchscan.images.rules import Rules, RuleViolation
from batchscan.model import CONVERTED, STRIPPED, Image, NotSendable, Provenance, Sent

_ORIENTATION: Final = 0x0112
_SAY_IN_PNG: Final = (b"eXIf", b"tEXt", b"zTXt", b"iTXt")
NOTHING: Final = Provenance()


def make_sendable(image: Image, decoders: Decoders, rules: Rules) -> Image | NotSendable:
    """The picture with the bytes to send; blocking, so run it in a thread.

    Args:
        image: with its file's bytes.
        decoders: for conversions.
        rules: whether to strip or convert.
    """
    kind = kinds.BY_NAME[image.kind]
    try:
        if not image.convert and not rules.strip:
            return replace(image, ready=True)
        if not image.convert and kind.group == "raster":
            with suppress(CannotStrip):
                return _stripped(image, kind)
        return converted(image, FileSource(image.data), decoders, rules)
    except RuleViolation as unfit:
        width, height = unfit.size or (image.width or None, image.height or None)
        return NotSendable(
            image.path,
            image.stat,
            unfit.reason,
            unfit.detail,
            image.sha256,
            image.format,
            width,
            height,
            image.warnings,
            by_conversion=True,
        )


def converted(
    image: Image, source: FileSource, decoders: Decoders, rules: Rules, *, check_raw: bool = False
) -> Image:
    """The picture with the JPEG to send.

    Raises:
        RuleViolation: it cannot be decoded correctly.
    """
    kind = kinds.BY_NAME[image.kind]
    made = decoders.convert(kind, source, check_raw=check_raw, unpack=rules.check == "full")
    sent = Sent(
        hashlib.sha256(made.data).hexdigest(),
        len(made.data),
        kinds.JPEG.format,
        made.width,
        made.height,
        CONVERTED,
        made.made_with,
    )
    size = (image.width or made.source_width, image.height or made.source_height)
    fingerprint = None
    if rules.fingerprints:
        from batchscan.images.fingerprints import (  # noqa: PLC0415 - numpy is slow to import
            fingerprint_of_jpeg,
        )

        fingerprint = fingerprint_of_jpeg(made.data, _shape(size, made), made.taken)
    return replace(
        image,
        data=made.data,
        width=size[0],
        height=size[1],
        content_type=kinds.JPEG.content_type,
        file_name=safe_file_name(image.path, kinds.JPEG.extensions[0]),
        warnings=(*image.warnings, *made.warnings),
        ready=True,
        sent=sent,
        provenance=made.provenance,
        fingerprint=fingerprint,
    )


def is_converted(image: Image) -> bool:
    """Whether a JPEG made from a picture is sent, which then is fingerprinted, too."""
    return image.convert or kinds.BY_NAME[image.kind].group == "raw"


def _shape(size: tuple[int, int], made: ConvertedFile) -> tuple[int, int]:
    """A picture's size, in the orientation of its JPEG."""
    return size if (size[0] >= size[1]) == (made.width >= made.height) else (size[1], size[0])


def _stripped(image: Image, kind: ImageFormat) -> Image:
    """The picture without metadata.

    Raises:
        CannotStrip: it would have to be decoded.
    """
    data, info = strip(kind, image.data), None
    if data != image.data:  # else there is no metadata, and opening it would find none
        info = _metadata(kind, image.data)
        orientation = _orientation(info)
        if keeps_orientation(orientation):
            data = strip(kind, image.data, orientation)
    if data == image.data:
        return replace(image, ready=True)
    sent = Sent(
        hashlib.sha256(data).hexdigest(),
        len(data),
        image.format,
        image.width,
        image.height,
        STRIPPED,
        f"batchscan {version.version()}",
    )
    own_provenance = provenance.of_info(info.info) if info else NOTHING
    return replace(image, data=data, ready=True, sent=sent, provenance=own_provenance)


def _metadata(kind: ImageFormat, data: bytes) -> PillowImage.Image | None:
    """The opened picture with its metadata; None without any."""
    if kind in (kinds.BMP, kinds.ICO):
        return None
    if kind is kinds.PNG and not any(name in data for name in _SAY_IN_PNG):
        return None
    for copy in itertools.chain((data,), bare_copies(kind, data)):  # some of it may be damaged
        # The decoders' boundary: metadata is as hostile as pixels.
        with suppress(Exception):
            opened = open_raster(kind, copy)
            if kind is kinds.PNG:
                opened.load()  # metadata may follow the pixels
            return opened
    return None


def _orientation(opened: PillowImage.Image | None) -> int:
    with suppress(Exception):  # as above
        if opened is not None:
            return int(opened.getexif().get(_ORIENTATION, 1))
    return 1
