"""Fingerprints of decoded pictures, taken upright, on white, with 8 bits."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import Final

from PIL import Image, JpegImagePlugin

from batchscan.images.conversion.bands import CONVERTIBLE, shrink_to_eight_bits
from batchscan.images.metadata import provenance
from batchscan.images.metadata.exif import exif_of
from batchscan.images.metadata.ifd import ORIENTATION
from batchscan.images.thumbnail import TURNS, small_jpeg
from batchscan.rendition_types import Fingerprint
from batchscan.renditions.fingerprint import SMALLEST_SIDE, fingerprint, small_copy

PREVIEW_EDGE: Final = 72
"""Pixels that neither side of a covered version's preview has more of."""

MAX_ASPECT: Final = 8  # length to width; longer strips have too little structure
_MIN_SIDE: Final = 192  # pixels that a reduced decode leaves of the shorter side
_REDUCED_FIRST: Final = ("L", "RGB", "RGBA", "LA")
_AT_ONCE: Final = 16_000_000  # pixels; larger pictures are copied in bands
_SCALES: Final = (8, 4, 2)  # at which a JPEG can be decoded


def draft_scale(width: int, height: int) -> int:
    """How many times smaller a JPEG is decoded for judging and fingerprinting.

    All bytes are read in any case; only small pictures are decoded at full size.
    """
    shorter = min(width, height)
    if max(width, height) > MAX_ASPECT * shorter:
        return _SCALES[0]
    return next((scale for scale in _SCALES if shorter >= scale * _MIN_SIDE), 1)


def fingerprint_of(
    image: Image.Image, size: tuple[int, int], taken: str | None = None
) -> Fingerprint | None:
    """The fingerprint of a decoded picture; None for one that cannot be compared.

    Args:
        image: its pixels, which may be reduced, and its metadata.
        size: of the whole picture, as stored.
        taken: time of exposure, if it is known from elsewhere.
    """
    shorter = min(image.size)
    if shorter < SMALLEST_SIDE or max(image.size) > MAX_ASPECT * shorter:
        return None
    if image.mode not in CONVERTIBLE:
        return None
    exif = exif_of(image.info)
    small = _small(image, max(1, shorter // _MIN_SIDE))
    # The last row and column of a reduced picture may cover less than the others.
    scale = round(size[0] / small.width), round(size[1] / small.height)
    extent = size[0] / max(1, scale[0]), size[1] / max(1, scale[1])
    turn = TURNS.get(exif.number(ORIENTATION))
    when = provenance.taken_exactly(exif) if taken is None else taken
    return fingerprint(small, extent, turn)._replace(
        width=size[1] if turn in _ACROSS else size[0],
        height=size[0] if turn in _ACROSS else size[1],
        taken=when,
    )


def _small(image: Image.Image, step: int) -> Image.Image:
    """The picture on white as "L" or "RGB", `step` times smaller."""
    if step > 1 and image.width * image.height <= _AT_ONCE:
        if image.mode == "P" and "transparency" in image.info:
            image = image.convert("RGBA")
        if image.mode in _REDUCED_FIRST:  # before pasting it on white
            image, step = image.reduce(step), 1
    small = shrink_to_eight_bits(image, max(1, max(image.size) // (2 * step)))
    return small if small.mode == "L" else small.convert("RGB")


def fingerprint_of_jpeg(data: bytes, size: tuple[int, int], taken: str) -> Fingerprint | None:
    """The same for our own JPEG, made from a picture of this size."""
    with suppress(Exception):
        image = Image.open(io.BytesIO(data), formats=(JpegImagePlugin.JpegImageFile.format or "",))
        full_size, scale = image.size, draft_scale(*image.size)
        image.draft(None, (max(1, image.width // scale), max(1, image.height // scale)))
        image.load()
        found = fingerprint_of(image, full_size, taken)
        return None if found is None else found._replace(width=size[0], height=size[1])
    return None


def preview_of(found: Fingerprint | None) -> bytes | None:
    """A small JPEG of a picture, of what it is compared by; None if that is not kept."""
    if found is None or not found.thumbnail:
        return None
    return small_jpeg(small_copy(found.thumbnail, PREVIEW_EDGE))


_ACROSS: Final = (
    Image.Transpose.TRANSPOSE,
    Image.Transpose.ROTATE_270,
    Image.Transpose.TRANSVERSE,
    Image.Transpose.ROTATE_90,
)
"""The turns that make a wide picture a tall one."""
