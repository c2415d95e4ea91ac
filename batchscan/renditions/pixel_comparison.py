"""Comparing two similar pictures pixel by pixel, to distinguish an edit from another way of saving.

The larger picture is brought to the size of the smaller one (`resampling`), and what saving the
smaller one as a JPEG may have changed is taken away (`jpeg_rounding`). Of a version little is
left, the more the more there is to see around; of a digit, a patch or a retouched spot, much in
one place. So the residual is averaged over squares of several sizes, by lightness and by colour,
and none may be above what versions were measured to leave (`pixel_limits`).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from batchscan.renditions.pixel_limits import COLOUR_SQUARES, LIMITS, SQUARES, Measured
from batchscan.renditions.pixel_pairs import BAND, PixelPair, PlanePair
from batchscan.renditions.pixels import Pixels, Plane

_BUSY: Final = np.float32(0.02)  # of the activity, which a place may differ by in addition
_LUMA_IN_COLOUR: Final = np.float32(0.25)  # of the activity of lightness, which counts for colour
_BLOCK: Final = 4  # points of which the deviation is their activity


def deviation(one: Pixels, other: Pixels) -> float:
    """How far two pictures are from being versions; up to 1 they are. The order does not matter."""
    kind, measures = measured(one, other)
    limits = LIMITS[kind]
    return max(measure / most for measure, most in zip(measures, limits, strict=True))


def measured(one: Pixels, other: Pixels) -> tuple[str, Measured]:
    """The differences of two pictures, and the limits that apply. Some 50 ms a megapixel."""
    pair = PixelPair.of(one, other)
    luma, activity, luma_mean = _measured_luma(pair)
    colours, means = [], []
    for plane in pair.colours():
        own = _activity(plane)
        around = _LUMA_IN_COLOUR * _in_shape(_pooled(activity, 2, np.maximum), own.shape)
        colours.append(_squares(_inner(plane.residual), own + around, COLOUR_SQUARES))
        means.append(plane.shift)
    return pair.kind, (*luma, *map(max, *colours), luma_mean, max(means))


def _measured_luma(pair: PixelPair) -> tuple[Measured, Plane, float]:
    """The largest squares by lightness, the activity, and how far the means are apart."""
    squares, parts, shifts = [], [], []
    for band in pair.luma():
        activity = _activity(band)
        squares.append(_squares(band.residual, activity, SQUARES))
        parts.append(activity[: BAND // _BLOCK])
        shifts.append((band.result - band.source)[:BAND].sum(dtype=np.float64))
    width, height = pair.size
    largest = squares[0] if len(squares) == 1 else tuple(map(max, *squares))
    return largest, np.concatenate(parts), abs(float(sum(shifts))) / (width * height)


def _inner(residual: Plane) -> Plane:
    """Without the outermost points, of which programs make the colours in ways of their own."""
    inner = np.zeros_like(residual)
    inner[1:-1, 1:-1] = residual[1:-1, 1:-1]
    return inner


def _pooled(plane: Plane, side: int, combine: np.ufunc) -> Plane:
    """The sum or the largest value of each whole block of so many points."""
    height, width = (length - length % side for length in plane.shape)
    rows = plane[0:height:side, :width].copy()
    for step in range(1, side):
        combine(rows, plane[step:height:side, :width], out=rows)
    pooled = rows[:, 0::side].copy()
    for step in range(1, side):
        combine(pooled, rows[:, step::side], out=pooled)
    return pooled


def _in_shape(values: Plane, shape: tuple[int, ...]) -> Plane:
    """The values, with the last ones repeated up to a shape."""
    down, across = (max(0, most - have) for most, have in zip(shape, values.shape, strict=True))
    return np.pad(values, ((0, down), (0, across)), mode="edge")[: shape[0], : shape[1]]


def _activity(plane: PlanePair) -> Plane:
    """How much there is to see around each block, in both planes."""
    deviations = np.minimum(_deviations(plane.result), _deviations(plane.source))
    height, width = deviations.shape
    around = np.pad(deviations, 1, mode="edge")
    rows = np.maximum(np.maximum(around[:height], around[1:-1]), around[2:])
    most = np.maximum(np.maximum(rows[:, :width], rows[:, 1:-1]), rows[:, 2:])
    return _in_shape(most, tuple(-(-length // _BLOCK) for length in plane.result.shape))


def _deviations(plane: Plane) -> Plane:
    mean = _pooled(plane, _BLOCK, np.add) / _BLOCK**2
    squares = _pooled(plane * plane, _BLOCK, np.add) / _BLOCK**2
    return np.asarray(np.sqrt(np.maximum(squares - mean * mean, 0)))


def _squares(residual: Plane, activity: Plane, sides: tuple[int, ...]) -> tuple[float, ...]:
    """The largest mean of the squares of each size, for its activity.

    Each size is twice the one before. Of squares larger than a block every other one is enough.
    """
    margins = [(0, -length % _BLOCK) for length in residual.shape]
    means, spacing, largest = np.pad(residual, margins), 1, list[float]()
    for side in sides:
        if side > 1:
            half = side // 2 // spacing
            means = means[:-half] + means[half:]
            means = means[:, :-half] + means[:, half:]
            means *= np.float32(0.25)
        margins = [(0, -length % (_BLOCK // spacing)) for length in means.shape]
        blocks = _pooled(np.pad(np.abs(means), margins), _BLOCK // spacing, np.maximum)
        if not blocks.size:
            return (*largest, *[0.0] * (len(sides) - len(largest)))
        around = activity[: blocks.shape[0], : blocks.shape[1]]
        largest.append(float((blocks / (1 + _BUSY * around)).max()))
        if side >= _BLOCK > spacing:
            means, spacing = means[::2, ::2], spacing * 2
    return tuple(largest)
