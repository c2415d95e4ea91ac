"""What two files are compared by: a perceptual hash, and thumbnails for a second look.

The hash is PDQ's (Facebook, 2019): the signs of 16 x 16 low frequencies around their median. It
is taken of a 64 x 64 grey picture: on 1,000 photographs ordinary renditions then differ by at
most 12 bits of 256 and unrelated pictures by 94 and more, where PDQ's own reduction needs a limit
at which consecutive video frames merge.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

HASH_BYTES: Final = 32
SMALLEST_SIDE: Final = 96
"""A reduced decode must not be smaller than this, on its shorter side, to be compared."""

_GREY_SIDE: Final = 64
_FREQUENCIES: Final = 16
_COLOUR_SIDE: Final = 48
_BLUR: Final = 1

_Pixels = npt.NDArray[np.uint8]


def _dct_rows() -> npt.NDArray[np.float32]:
    """The rows 1 to 16 of the 64-point DCT-II; row 0, the mean, says nothing about a picture."""
    frequencies = np.arange(1, _FREQUENCIES + 1)[:, None]
    places = np.arange(_GREY_SIDE)[None, :]
    rows = np.cos(np.pi / (2 * _GREY_SIDE) * frequencies * (2 * places + 1))
    return np.asarray(np.sqrt(2 / _GREY_SIDE) * rows, np.float32)


_DCT: Final = _dct_rows()


class Fingerprint(NamedTuple):
    """What the ledger keeps of a picture to find its versions by."""

    hash: bytes  # HASH_BYTES long
    detail: float  # mean step between neighbouring grey values; a blank picture has 0
    width: int  # of the whole picture, upright, in pixels
    height: int


def fingerprint(image: Image.Image, size: tuple[int, int]) -> Fingerprint:
    """Take a picture's fingerprint.

    Args:
        image: its pixels, upright, on white, "L" or "RGB"; a reduced decode will do.
        size: width and height of the whole picture, upright.
    """
    grey = image.convert("L").resize((_GREY_SIDE, _GREY_SIDE), Image.Resampling.LANCZOS)
    values = np.asarray(grey, np.float32)
    steps = np.abs(np.diff(values, axis=0)).mean() + np.abs(np.diff(values, axis=1)).mean()
    blurred = np.asarray(grey.filter(ImageFilter.BoxBlur(_BLUR)), np.float32)
    frequencies = _DCT @ blurred @ _DCT.T
    bits = frequencies > np.median(frequencies)
    return Fingerprint(np.packbits(bits).tobytes(), float(steps / 2), *size)


def colour_thumbnail(image: Image.Image) -> _Pixels:
    """48 x 48 x 3 values, for the second look at a candidate."""
    small = image.convert("RGB").resize((_COLOUR_SIDE, _COLOUR_SIDE), Image.Resampling.LANCZOS)
    return np.asarray(small)


def distance(one: bytes, other: bytes) -> int:
    """Bits in which two hashes differ, 0 to 256."""
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()


def difference(one: _Pixels, other: _Pixels) -> int:
    """The largest difference of any channel of any pixel of two thumbnails, 0 to 255."""
    return int(np.abs(one.astype(np.int16) - other).max())
