"""How similar two pictures look.

Two perceptual hashes recognize a picture after changes of size, colours or compression; a small
copy and a piece of its middle show whether anything has changed at all. Keypoints find what the
hashes do not: a part of the picture, or the picture with something around or on it.
"""

from __future__ import annotations

import io
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal

from PIL import Image, ImageChops, ImageOps, ImageStat

from batchscan.emulator.matching.alignment import Thumbprint, thumbprint
from batchscan.emulator.matching.hashes import frequency_hash, gradient_hash
from batchscan.images.bare import bare_copies
from batchscan.images.signature import HEAD_BYTES, sniff

FULL: Final = 0
PARTIAL: Final = 1

_FORMATS: Final = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "ICO")
# Of 128 bits. The least between unrelated pictures was 32 over 20,000 pairs of soft patterns, 25 over
# 45,000 pairs of photographs and drawings, and 30 over 104,000 pairs of photographs and changed
# copies of others; a copy of a quarter of the size, grey or of JPEG quality 30 differs by 6 at most,
# one a quarter brighter by 13, one with its hues turned by 20° by 18.
_ALIKE: Final = 20
_SAME: Final = 4
# Mean differences of 255 levels: formats without loss differ by 0, JPEG of quality 75 by 1.
_SAME_COLOURS: Final = 2.0
_SAME_DETAIL: Final = 1.0
_SMALL: Final = 16  # pixels a side of the small copy
_DETAIL: Final = 48  # pixels a side of the piece
_FLAT: Final = 3.0  # levels; hashes of less contrast than this are noise


@dataclass(frozen=True, slots=True)
class PictureFeatures:
    """The features of a picture for comparisons."""

    size: tuple[int, int]
    bits: int
    small: Image.Image
    detail: Image.Image
    flat: bool
    thumbprint: Thumbprint

    def both_ways(self) -> tuple[Thumbprint, Thumbprint]:
        """The thumbprint and its mirrored one."""
        return self.thumbprint, self.thumbprint.mirrored()


def fingerprint(data: bytes) -> PictureFeatures:
    """Decode a picture's first frame and compute its features.

    Errors of Pillow on hostile bytes are not caught, except for damaged metadata.
    """
    try:
        return _likeness(data)
    except Exception:
        kind = sniff(data[:HEAD_BYTES])
        for copy in bare_copies(kind, data) if kind else ():
            with suppress(Exception):
                return _likeness(copy)
        raise


def _likeness(data: bytes) -> PictureFeatures:
    with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
        image = _on_white(ImageOps.exif_transpose(opened))
    grey = image.convert("L")
    small = image.resize((_SMALL, _SMALL), Image.Resampling.BOX)
    left, top = max(0, (image.width - _DETAIL) // 2), max(0, (image.height - _DETAIL) // 2)
    return PictureFeatures(
        size=image.size,
        bits=frequency_hash(grey) << 64 | gradient_hash(grey),
        small=small,
        detail=image.crop((left, top, left + _DETAIL, top + _DETAIL)),
        flat=ImageStat.Stat(small.convert("L")).stddev[0] < _FLAT,
        thumbprint=thumbprint(grey),
    )


def compare_whole(one: PictureFeatures, other: PictureFeatures) -> Literal[0, 1] | None:
    """`FULL` or `PARTIAL`; None if they differ, or one shows only a part of the other."""
    distance = (one.bits ^ other.bits).bit_count()
    if distance > _ALIKE:
        return None
    if one.size == other.size and distance <= _SAME and _same_pixels(one, other):
        return FULL
    return None if one.flat or other.flat else PARTIAL


def _same_pixels(one: PictureFeatures, other: PictureFeatures) -> bool:
    return (
        _difference(one.small, other.small) <= _SAME_COLOURS
        and _difference(one.detail, other.detail) <= _SAME_DETAIL
    )


def _difference(one: Image.Image, other: Image.Image) -> float:
    means = ImageStat.Stat(ImageChops.difference(one, other)).mean
    return sum(means) / len(means)


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    white = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(white, layer).convert("RGB")
