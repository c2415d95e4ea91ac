"""Fingerprints of pictures: a perceptual hash, and thumbnails to confirm a match.

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

from batchscan.rendition_types import Fingerprint
from batchscan.renditions.local_differences import close_up, packed, unpacked

SMALLEST_SIDE: Final = 96
"""A reduced decode must not be smaller than this, on its shorter side, to be compared."""

_GREY_SIDE: Final = 64
_FREQUENCIES: Final = 16
_COLOUR_SIDE: Final = 48
_FINE_SIDE: Final = 128
_COLOURS: Final = _COLOUR_SIDE * _COLOUR_SIDE * 3
_BLUR: Final = 1


def _dct_rows() -> npt.NDArray[np.float32]:
    """The rows 1 to 16 of the 64-point DCT-II; row 0, the mean, says nothing about a picture."""
    frequencies = np.arange(1, _FREQUENCIES + 1)[:, None]
    places = np.arange(_GREY_SIDE)[None, :]
    rows = np.cos(np.pi / (2 * _GREY_SIDE) * frequencies * (2 * places + 1))
    return np.asarray(rows, np.float32)


_DCT: Final = _dct_rows()


def fingerprint(
    image: Image.Image, extent: tuple[float, float], turn: Image.Transpose | None = None
) -> Fingerprint:
    """Take a picture's fingerprint.

    Args:
        image: its pixels on white, "L" or "RGB"; may be reduced.
        extent: how much of `image` is the picture, from the upper left corner.
        turn: the transposition that makes it upright.
    """
    box = (0.0, 0.0, min(extent[0], image.width), min(extent[1], image.height))
    full = image.convert("L")
    grey = full.resize((_GREY_SIDE, _GREY_SIDE), Image.Resampling.LANCZOS, box)
    close = close_up(full, box)
    small = image.resize((_COLOUR_SIDE, _COLOUR_SIDE), Image.Resampling.LANCZOS, box)
    if turn is not None:
        grey, small, close = (reduced.transpose(turn) for reduced in (grey, small, close))
    blurred = np.asarray(grey.filter(ImageFilter.BoxBlur(_BLUR)), np.float32)
    thumbnail = small.convert("RGB").tobytes() + packed(close)
    return Fingerprint(
        hash_of(blurred), detail_of(np.asarray(grey, np.float32)), *image.size, thumbnail=thumbnail
    )


def hash_of(grey: npt.NDArray[np.float32]) -> bytes:
    """The 256 signs of a 64 x 64 grey picture's low frequencies around their median."""
    frequencies = _DCT @ grey @ _DCT.T
    return np.packbits(frequencies > np.median(frequencies)).tobytes()


def detail_of(grey: npt.NDArray[np.float32]) -> float:
    """The mean step between neighbouring values of a grey picture."""
    steps = np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey, axis=1)).mean()
    return float(steps / 2)


def distance(one: bytes, other: bytes) -> int:
    """Bits in which two hashes differ, 0 to 256."""
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()


def tone_difference(one: bytes, other: bytes) -> float:
    """The largest difference between the means of a channel, in levels of 256."""
    ones, others = (
        np.frombuffer(thumbnail[:_COLOURS], np.uint8).reshape(-1, 3).mean(axis=0)
        for thumbnail in (one, other)
    )
    return float(np.abs(ones - others).max())


class GreyDifferences(NamedTuple):
    """The largest differences of two pictures' grey values, in levels of 256."""

    coarse: int  # of 64 x 64 points
    fine: int  # of 128 x 128 points


def colour_difference(one: bytes, other: bytes) -> int:
    """The largest difference of any channel of 48 x 48 points, in levels of 256."""
    ones, others = (
        np.frombuffer(thumbnail[:_COLOURS], np.uint8).astype(np.int16) for thumbnail in (one, other)
    )
    return int(np.abs(ones - others).max())


def close_up_of(thumbnail: bytes) -> Image.Image:
    """The close-up in the thumbnail of a fingerprint."""
    return unpacked(thumbnail[_COLOURS:])


def grey_differences(one: Image.Image, other: Image.Image) -> GreyDifferences:
    """Compare two close-ups point by point."""
    fine = _values(one) - _values(other)
    squares = fine.reshape(_FINE_SIDE // 2, 2, _FINE_SIDE // 2, 2)
    return GreyDifferences(int(np.abs(squares.mean(axis=(1, 3))).max()), int(np.abs(fine).max()))


def small_copy(thumbnail: bytes, edge: int) -> Image.Image:
    """A picture in colour and in its own shape, of what is kept for a second look.

    Args:
        thumbnail: of a fingerprint.
        edge: pixels that neither side has more of.
    """
    grey = close_up_of(thumbnail)
    grey.thumbnail((edge, edge), Image.Resampling.LANCZOS)
    colours = Image.frombytes("RGB", (_COLOUR_SIDE, _COLOUR_SIDE), thumbnail[:_COLOURS])
    _, *tints = colours.resize(grey.size, Image.Resampling.LANCZOS).convert("YCbCr").split()
    return Image.merge("YCbCr", (grey, *tints)).convert("RGB")


def _values(image: Image.Image) -> npt.NDArray[np.int16]:
    size = (_FINE_SIDE, _FINE_SIDE)
    return np.asarray(image.resize(size, Image.Resampling.LANCZOS)).astype(np.int16)
