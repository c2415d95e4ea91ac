"""A close look at two pictures that are alike: is anything in one that is not in the other?

Another size, quality or format changes a picture a little everywhere where there is something to
see. A digit, a date, a patch or a retouched face changes it in one place, however little. So what
counts is how far the place that differs most stands out from what the other places differ by.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

CLOSE_SIDE: Final = 320
"""Pixels of a close-up's longer side, of pictures that are large enough."""

MIN_SPOT: Final = 5.0
"""Levels of 256 below which nobody sees a difference."""

MAX_OUTLIER: Final = 5.0
MAX_WIDE_OUTLIER: Final = 4.0
MAX_CALM_OUTLIER: Final = 2.9

_SIZE: Final = struct.Struct("!HH")
_MOST: Final = 95  # per cent of the places, which say what two versions differ by anyway
_NOTHING: Final = 0.5  # levels that are no difference
_BUSY: Final = 20.0  # deviation at which a place may differ by twice as much as a plain one
_REACH: Final = 2  # points around a place that count as its neighbours

_Values = npt.NDArray[np.float64]


class CloseLook(NamedTuple):
    """Where two close-ups differ most, and how far that stands out from the other places."""

    spot: float  # levels of 256, of the mean of 3 x 3 points
    outlier: float  # times what 95 % of the places differ by
    wide_outlier: float  # the same of 5 x 5 points
    calm_outlier: float  # as the first; differences count less the more there is to see around

    @property
    def same(self) -> bool:
        """Whether no place stands out."""
        return self.spot < MIN_SPOT or (
            self.outlier <= MAX_OUTLIER
            and self.wide_outlier <= MAX_WIDE_OUTLIER
            and self.calm_outlier <= MAX_CALM_OUTLIER
        )


def close_up(grey: Image.Image, box: tuple[float, float, float, float]) -> Image.Image:
    """What is kept of a grey picture for a close look, in its own shape."""
    scale = min(1.0, CLOSE_SIDE / max(box[2], box[3]))
    size = max(1, round(box[2] * scale)), max(1, round(box[3] * scale))
    return grey.resize(size, Image.Resampling.LANCZOS, box)


def packed(image: Image.Image) -> bytes:
    """A close-up's size and values."""
    return _SIZE.pack(*image.size) + image.tobytes()


def unpacked(data: bytes) -> Image.Image:
    """The close-up of these bytes."""
    return Image.frombytes("L", _SIZE.unpack_from(data), data[_SIZE.size :])


def look_closely(one: Image.Image, other: Image.Image) -> CloseLook:
    """Compare two close-ups at the size of the smaller one; the order does not matter."""
    size = min(one.size, other.size, key=lambda size: (size[0] * size[1], size))
    first, second = (
        np.asarray(each.resize(size, Image.Resampling.LANCZOS), np.float64) for each in (one, other)
    )
    apart = first - second
    apart -= np.median(apart)  # a little brighter as a whole is no place
    narrow, wide = np.abs(_means(apart, 3)), np.abs(_means(apart, 5))
    busy = _widened(np.minimum(_deviations(first, 3), _deviations(second, 3)))
    return CloseLook(
        float(narrow.max()),
        _standing_out(narrow),
        _standing_out(wide),
        _standing_out(narrow / (1 + busy / _BUSY)),
    )


def _standing_out(apart: _Values) -> float:
    return float(apart.max() / (np.percentile(apart, _MOST) + _NOTHING))


def _means(values: _Values, side: int) -> _Values:
    """The mean of each square of so many points."""
    sums = np.pad(values, ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    inside = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    return np.asarray(inside / (side * side))


def _deviations(values: _Values, side: int) -> _Values:
    mean = _means(values, side)
    return np.sqrt(np.maximum(_means(values * values, side) - mean * mean, 0))


def _widened(values: _Values) -> _Values:
    """The largest value within reach of each."""
    height, width = values.shape
    padded = np.pad(values, _REACH, mode="edge")
    steps = range(0, 2 * _REACH + 1, _REACH)
    places = (
        padded[down : down + height, right : right + width] for down in steps for right in steps
    )
    found = next(places).copy()
    for place in places:
        np.maximum(found, place, out=found)
    return found
