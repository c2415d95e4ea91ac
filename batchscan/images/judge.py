"""The rules in their order, the cheap ones first: signature, name, header, pixels."""

from __future__ import annotations

from batchscan.enums import FailReason, RejectReason
from batchscan.images import kinds
from batchscan.images.decoded import DecodedCache
from batchscan.images.decoding.pool import Decoders
from batchscan.images.file_name import agree, extension_of
from batchscan.images.kinds import ImageFormat
from batchscan.images.metadata import ifd
from batchscan.images.raster import RasterJudge
from batchscan.images.raw import RawJudge
from batchscan.images.rules import Accepted, RejectedBytes, Rules, RuleViolation, Size, Verdict
from batchscan.images.signature import HEAD_BYTES, hint, sniff
from batchscan.util.weighted_semaphore import WeightedSemaphore


class Judge:
    """Decides whether the service takes a file's bytes; deterministic.

    Thread-safe: the pixels decoded at once are bounded, and camera RAW is decoded in child
    processes, which are started when needed.
    """

    def __init__(
        self,
        rules: Rules,
        decoders: Decoders | None = None,
        pixels: WeightedSemaphore | None = None,
        decoded: DecodedCache | None = None,
    ) -> None:
        self.rules = rules
        self._decoders = decoders or Decoders()
        self._raw = RawJudge(rules, self._decoders)
        self._raster = RasterJudge(
            rules, pixels or WeightedSemaphore(rules.max_pixels), decoded or DecodedCache()
        )

    def judge(self, data: bytes, name: str, sha256: str | None = None) -> Verdict:
        """Judge a file's content and name; does not raise for any content.

        With `sha256` given, decoded pixels are kept for the thumbnail.
        """
        kind = None
        try:
            kind = _recognise(data, name)
            return self._examine(kind, data, name, sha256)
        except RuleViolation as unfit:
            width, height = unfit.size or (None, None)
            file_format = kind.format if kind else None
            return RejectedBytes(unfit.reason, unfit.detail, file_format, width, height)
        except MemoryError:
            file_format = kind.format if kind else None
            return RejectedBytes(FailReason.CHECK_FAILED, "no memory left to check it", file_format)

    @property
    def decoders(self) -> Decoders:
        """The decoder processes."""
        return self._decoders

    def close(self) -> None:
        """End the child processes, if there are any."""
        self._decoders.close()

    def _examine(self, kind: ImageFormat, data: bytes, name: str, sha256: str | None) -> Accepted:
        converts = self.rules.convert and kind in kinds.CONVERTIBLE
        if kind.group not in ("raster", "raw") and not converts:
            raise unsupported(kind)
        extension, warning = agree(kind, name)
        size, warnings, fingerprint = Size(0, 0), list[str](), None
        try:
            if kind.group == "raw":
                size, warnings = self._raw.judge(data)
            elif not converts:
                size, warnings, fingerprint = self._raster.judge(kind, data, sha256)
        except RuleViolation as unfit:
            if not (self.rules.convert and unfit.reason is RejectReason.TOO_MANY_PIXELS):
                raise
            size, converts = unfit.size or size, True
        return Accepted(
            kind.name,
            kind.format,
            kind.content_type,
            extension,
            size.width,
            size.height,
            (warning, *warnings) if warning else tuple(warnings),
            converts,
            fingerprint,
        )


def unsupported(kind: ImageFormat) -> RuleViolation:
    """The violation for a format that is neither taken nor converted."""
    return RuleViolation(
        RejectReason.UNSUPPORTED_FORMAT,
        f"this is {kind.label}, which the service does not take; convert it to JPEG or PNG",
    )


def _recognise(data: bytes, name: str) -> ImageFormat:
    """Find the format by the content, and by the name only if the content is ambiguous."""
    kind = sniff(data[:HEAD_BYTES])
    extension = extension_of(name)
    if kind is kinds.TIFF:
        return _tiff(data, extension)
    if kind:
        return kind
    if not data:
        raise RuleViolation(RejectReason.EMPTY, "the file is empty")
    if unsigned := kinds.UNSUPPORTED_BY_EXTENSION.get(extension):
        return unsigned
    raise RuleViolation(RejectReason.NOT_AN_IMAGE, hint(data[:HEAD_BYTES]))


def _tiff(data: bytes, extension: str) -> ImageFormat:
    if ifd.is_dng(ifd.reads_bytes(data)):
        return kinds.DNG
    # `x.nef?w=1` is a download's name.
    return kinds.TIFF_RAWS.get(extension.partition("?")[0], kinds.TIFF)
