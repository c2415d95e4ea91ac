"""Comparing two similar pictures closely, to find local edits.

Another size, quality or format changes a picture a little in all places with detail. A digit, a
date, a patch or a retouched face changes it in one place only, perhaps by very little. So the rule
compares the place with the largest difference with the usual difference of the other places.
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
"""Levels of 256 below which a difference cannot be seen."""

MAX_OUTLIER: Final = 5.0
MAX_WIDE_OUTLIER: Final = 4.0
MAX_CALM_OUTLIER: Final = 2.9

_SIZE: Final = struct.Struct("!HH")
_PERCENTILE: Final = 95  # of the differences, which is the usual difference of two versions
_NOTHING: Final = 0.5  # levels that do not count as a difference
_BUSY: Final = 20.0  # deviation at which a place may differ by twice as much as a plain one
_REACH: Final = 2  # points around a place that count as its neighbours

_Values = npt.NDArray[np.float64]


class LocalDifferences(NamedTuple):
    """The largest difference of two close-ups, and its ratio to the usual difference."""

    spot: float  # levels of 256, of the mean of 3 x 3 points
    outlier: float  # times what 95 % of the places differ by
    wide_outlier: float  # the same of 5 x 5 points
    calm_outlier: float  # as the first; differences count less the more there is to see around

    @property
    def same(self) -> bool:
        """Whether no place is an outlier."""
        return self.spot < MIN_SPOT or (
            self.outlier <= MAX_OUTLIER
            and self.wide_outlier <= MAX_WIDE_OUTLIER
            and self.calm_outlier <= MAX_CALM_OUTLIER
        )


def close_up(grey: Image.Image, box: tuple[float, float, float, float]) -> Image.Image:
    """A reduced copy of a grey picture for close comparison, in its own shape."""
    scale = min(1.0, CLOSE_SIDE / max(box[2], box[3]))
    size = max(1, round(box[2] * scale)), max(1, round(box[3] * scale))
    return grey.resize(size, Image.Resampling.LANCZOS, box)


def packed(image: Image.Image) -> bytes:
    """Encode a close-up: its size and values."""
    return _SIZE.pack(*image.size) + image.tobytes()


def unpacked(data: bytes) -> Image.Image:
    """Decode a close-up."""
    return Image.frombytes("L", _SIZE.unpack_from(data), data[_SIZE.size :])


def local_differences(one: Image.Image, other: Image.Image) -> LocalDifferences:
    """Compare two close-ups at the size of the smaller one; the order does not matter."""
    size = min(one.size, other.size, key=lambda size: (size[0] * size[1], size))
    first, second = (
        np.asarray(picture.resize(size, Image.Resampling.LANCZOS), np.float64)
        for picture in (one, other)
    )
    apart = first - second
    apart -= np.median(apart)  # a uniform change of brightness does not count
    narrow, wide = np.abs(_means(apart, 3)), np.abs(_means(apart, 5))
    busy = _widened(np.minimum(_deviations(first, 3), _deviations(second, 3)))
    return LocalDifferences(
        float(narrow.max()),
        _outlier_ratio(narrow),
        _outlier_ratio(wide),
        _outlier_ratio(narrow / (1 + busy / _BUSY)),
    )


def _outlier_ratio(apart: _Values) -> float:
    """The largest difference relative to the usual one."""
    return float(apart.max() / (np.percentile(apart, _PERCENTILE) + _NOTHING))


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
    largest = next(places).copy()
    for place in places:
        np.maximum(largest, place, out=largest)
    return largest
