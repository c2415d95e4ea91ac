"""Judging JPEG, PNG, GIF, BMP, WebP and ICO with Pillow.

Pillow is always given the expected format: if it guesses, the result depends on the plugins that
earlier files made it import.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, NamedTuple

from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    IcoImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from batchscan.enums import RejectReason
from batchscan.images import animation, end_markers, kinds
from batchscan.images.bare import bare_copies
from batchscan.images.decoded import SCALE, DecodedCache
from batchscan.images.end_markers import is_complete
from batchscan.images.headers import claimed_size
from batchscan.images.kinds import ImageFormat
from batchscan.images.rules import (
    ANIMATED,
    METADATA_DAMAGED,
    MISSING_END_MARKER,
    Rules,
    RuleViolation,
    Size,
)
from batchscan.images.unusual import name_unusual
from batchscan.rendition_types import Fingerprint
from batchscan.util.weighted_semaphore import WeightedSemaphore

# Pillow's guard against huge pictures has other limits than ours, and its limit for texts refuses
# valid PNGs with more than 1 MiB of XMP. Both exist only as module variables.
Image.MAX_IMAGE_PIXELS = None
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = 64 * 1024 * 1024

_FORMATS: Final = {
    kinds.JPEG: JpegImagePlugin.JpegImageFile.format,  # MPO is opened by it, too
    kinds.PNG: PngImagePlugin.PngImageFile.format,
    kinds.GIF: GifImagePlugin.GifImageFile.format,
    kinds.BMP: BmpImagePlugin.BmpImageFile.format,
    kinds.WEBP: WebPImagePlugin.WebPImageFile.format,
    kinds.ICO: IcoImagePlugin.IcoImageFile.format,
}
_BLOCK: Final = 32  # rows that one row of a JPEG's blocks spans at most


def silence_warnings() -> None:
    """Suppress Pillow's warnings about odd files, in the whole process."""
    warnings.filterwarnings("ignore", module=r"PIL\.")


class Judged(NamedTuple):
    """Size, warnings and fingerprint of a picture that can be sent."""

    size: Size
    warnings: list[str]
    fingerprint: Fingerprint | None = None


class _Fingerprinting(NamedTuple):
    """How pictures are fingerprinted, and at which scale a JPEG is decoded for it."""

    draft_scale: Callable[[int, int], int]
    fingerprint_of: Callable[[Image.Image, tuple[int, int]], Fingerprint | None]


def _fingerprinting() -> _Fingerprinting:
    from batchscan.images.fingerprints import (  # noqa: PLC0415 - numpy is slow to import
        draft_scale,
        fingerprint_of,
    )

    return _Fingerprinting(draft_scale, fingerprint_of)


class RasterJudge:
    """Judges the six formats that Pillow decodes; thread-safe."""

    def __init__(self, rules: Rules, pixels: WeightedSemaphore, decoded: DecodedCache) -> None:
        self._rules = rules
        self._decoded = decoded
        self._pixels = pixels
        self._fingerprinting = _fingerprinting() if rules.fingerprints else None
        silence_warnings()

    def judge(self, kind: ImageFormat, data: bytes, sha256: str | None = None) -> Judged:
        """Size, warnings and fingerprint of a picture that can be sent.

        A picture with damaged metadata is judged by its pixels. With `sha256` given, a JPEG's
        pixels are kept for its thumbnail.

        Raises:
            RuleViolation: it is damaged, or has too many pixels.
            MemoryError: there was not enough memory to decode it.
        """
        try:
            return self._judge(kind, data, sha256)
        except RuleViolation as unfit:
            if unfit.reason is not RejectReason.CORRUPT:
                raise
            for copy in bare_copies(kind, data):
                if judged := self._judge_copy(kind, copy):
                    # Its orientation may be lost, so it gets no fingerprint.
                    return Judged(judged.size, [METADATA_DAMAGED, *judged.warnings])
            if what := name_unusual(kind, data):
                detail = f"it is {what}, which cannot be decoded; save it as an ordinary one"
                raise RuleViolation(unfit.reason, detail, unfit.size) from unfit
            raise

    def _judge_copy(self, kind: ImageFormat, copy: bytes) -> Judged | None:
        try:
            return self._judge(kind, copy)
        except RuleViolation as unfit:
            if unfit.reason is not RejectReason.CORRUPT:
                raise
            return None

    def _judge(self, kind: ImageFormat, data: bytes, sha256: str | None = None) -> Judged:
        claimed = claimed_size(kind, data)
        if claimed:
            self._rules.limit(claimed)
        with self._pixels.hold(claimed.pixels if claimed else 0):
            opened = _size(kind, data)
        # An icon's directory and Pillow's choice from it may differ from the entries themselves.
        size = claimed if claimed and kind is kinds.ICO else opened
        self._rules.limit(size)
        if self._rules.check == "fast" and is_complete(kind, data):
            if self._fingerprinting:
                with self._pixels.hold(size.pixels):
                    return Judged(size, [], _fingerprint_only(kind, data, self._fingerprinting))
            return Judged(size, [])
        with self._pixels.hold(size.pixels):
            return self._every_pixel(kind, data, size, sha256)

    def _every_pixel(
        self, kind: ImageFormat, data: bytes, size: Size, sha256: str | None
    ) -> Judged:
        picture_warnings = []
        fingerprint, how = None, self._fingerprinting
        with _stage("its pixels cannot be decoded", size):
            if kind is kinds.PNG:
                open_raster(kind, data).verify()
            image = open_raster(kind, data)
            scale = how.draft_scale(*size) if how else SCALE
            if not _decode(image, kind, data, scale):
                picture_warnings.append(MISSING_END_MARKER)
            else:
                if kind is kinds.JPEG and sha256 is not None:
                    self._decoded.put(sha256, image, size)
                if how:
                    fingerprint = how.fingerprint_of(image, size)
        if kind not in (kinds.BMP, kinds.ICO):
            image = open_raster(kind, data)
            if image.info.get("icc_profile", b"") is None:  # there is one that cannot be read
                picture_warnings.append(METADATA_DAMAGED)
            picture_warnings += animation.check_later(image, kind, data, self._rules)
        return Judged(size, picture_warnings, None if ANIMATED in picture_warnings else fingerprint)


def _fingerprint_only(kind: ImageFormat, data: bytes, how: _Fingerprinting) -> Fingerprint | None:
    """The fingerprint of a picture that is not decoded otherwise."""
    with suppress(Exception):  # a fast check does not report damaged pixels
        image = open_raster(kind, data)
        if getattr(image, "n_frames", 1) == 1 or kind is kinds.JPEG:
            size = Size(*image.size)
            _decode(image, kind, data, how.draft_scale(*size))
            return how.fingerprint_of(image, size)
    return None


def open_raster(kind: ImageFormat, data: bytes) -> Image.Image:
    """Open bytes as this format and no other; reads the header only."""
    return Image.open(io.BytesIO(data), formats=(_FORMATS[kind] or "",))


def _size(kind: ImageFormat, data: bytes) -> Size:
    with _stage("its header cannot be read"):
        return Size(*open_raster(kind, data).size)


def _decode(image: Image.Image, kind: ImageFormat, data: bytes, scale: int) -> bool:
    """Decode the first frame; False if it is complete and only the end marker is missing."""
    if kind is kinds.JPEG:
        return _decode_jpeg(image, data, scale)
    image.load()
    return kind is not kinds.GIF or is_complete(kind, data)


def _decode_jpeg(image: Image.Image, data: bytes, scale: int) -> bool:
    image.draft(None, (max(1, image.width // scale), max(1, image.height // scale)))
    try:
        image.load()
    except OSError:
        # Of a progressive JPEG whole passes may be missing, which nothing would show.
        if end_markers.has_end(data) or "progressive" in image.info:
            raise
        if not end_markers.lacks_only_its_end(data, _pixels_of_jpeg):
            raise
        return False
    return True


def _pixels_of_jpeg(data: bytes) -> end_markers.JpegEnd:
    image = open_raster(kinds.JPEG, data)
    image.load()
    lowest = image.crop((0, max(0, image.height - _BLOCK), image.width, image.height))
    return end_markers.JpegEnd(
        *(hashlib.sha256(part.tobytes()).digest() for part in (image, lowest))
    )


@contextmanager
def _stage(what: str, size: Size | None = None) -> Iterator[None]:
    """Turn any exception of a decoder into a violation, as the file is damaged.

    Raises:
        RuleViolation: the decoder raised.
        MemoryError: passed on, as it says nothing about the file.
    """
    try:
        yield
    except MemoryError:
        raise
    except UnidentifiedImageError as error:  # its message names an address in memory
        raise RuleViolation(
            RejectReason.CORRUPT, f"{what}: it is cut off or damaged", size
        ) from error
    # The decoders' boundary: they raise a dozen undocumented types for damaged files.
    except Exception as error:
        raise RuleViolation(RejectReason.CORRUPT, f"{what}: {error}", size) from error
