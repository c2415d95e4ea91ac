"""Comparing two similar pictures closely, to find local edits.

Another size, quality or format changes a picture a little in all places with detail. A digit, a
date, a patch or a retouched face changes it in one place only, perhaps by very little. So the rule
compares the place with the largest difference with the usual difference of the other places.
"""

from __future__ import annotations

import struct
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

CLOSE_SIDE: Final = 320
"""Pixels of a close-up's longer side, of pictures that are large enough."""

MIN_SPOT: Final = 5.0
"""Levels of 256 below which a difference cannot be seen."""

# Times what 95 % of the places differ by.
MAX_OUTLIER: Final = 5.0
MAX_WIDE_OUTLIER: Final = 4.0
MAX_CALM_OUTLIER: Final = 2.9

_SIZE: Final = struct.Struct("!HH")
_PERCENTILE: Final = 95  # of the differences, which is the usual difference of two versions
_NOTHING: Final = 0.5  # levels that do not count as a difference
_BUSY: Final = 20.0  # deviation at which a place may differ by twice as much as a plain one
_REACH: Final = 2  # points around a place that count as its neighbours

_Values = npt.NDArray[np.float64]


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


def has_local_edit(one: Image.Image, other: Image.Image) -> bool:
    """Whether one place differs by much more than the others; the order does not matter.

    Two close-ups are compared at the size of the smaller one, by the means of 3 x 3 and 5 x 5
    points. Frames of one camera are thousands of pairs, so the first place that stands out decides.
    """
    size = min(one.size, other.size, key=lambda size: (size[0] * size[1], size))
    first, second = (
        np.asarray(picture.resize(size, Image.Resampling.LANCZOS), np.float64)
        for picture in (one, other)
    )
    apart = first - second
    apart -= np.median(apart)  # a uniform change of brightness does not count
    narrow = np.abs(_means(apart, 3))
    if narrow.max() < MIN_SPOT:
        return False
    if _outlier_ratio(narrow) > MAX_OUTLIER:
        return True
    if _outlier_ratio(np.abs(_means(apart, 5))) > MAX_WIDE_OUTLIER:
        return True
    # A difference counts less the more there is to see around.
    busy = _widened(np.minimum(_deviations(first, 3), _deviations(second, 3)))
    return _outlier_ratio(narrow / (1 + busy / _BUSY)) > MAX_CALM_OUTLIER


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
