"""Comparing two similar pictures closely, to tell an edit from another way of saving.

The larger picture is brought to the size of the smaller one (`resampling`), and what saving the
smaller one may have changed is taken away (`compression`). Of a version little is left, the more
the more there is to see around; of a digit, a patch or a retouched spot, much in one place. So the
residual is averaged over squares of several sizes, by lightness and by colour, and none may be
above what pure versions were measured to leave.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from batchscan.rendition_types import CloseUp
from batchscan.renditions.aligned import Aligned, PlanePair, in_order
from batchscan.renditions.compression import Plane, sampled
from batchscan.renditions.limits import LIMITS, SQUARES, kind_of
from batchscan.renditions.resampling import MAX_SHIFT, Resampled, resampled, same_size

_CLIPPED: Final = (4, 251)  # levels beyond which a value may have been cut off
_CLIPPING: Final = 7  # points around a clipped one that its compression may have changed
_CLIPPED_MORE: Final = 2  # times as much activity, in addition
_NEIGHBOURHOOD: Final = 5  # points, of which the deviation is the activity of the middle one
_SPREAD: Final = 3  # points that the residual of an edge reaches around it
_SPREAD_OF_COLOUR: Final = 2
_BUSY: Final = np.float32(0.01)  # of the activity, which a place may differ by in addition
_LUMA_IN_COLOUR: Final = 0.25  # of the activity of lightness, which counts for colour


class Measured(NamedTuple):
    """What two pictures differ by, apart from what saving and resizing explain."""

    kind: str  # of the smaller one's compression and size, for which limits were measured
    luma: tuple[float, ...]  # levels; the largest of the squares of each size
    colour: tuple[float, ...]
    luma_mean: float  # levels
    colour_mean: float
    shift: float  # points that the two are apart, where it is most

    @property
    def deviation(self) -> float:
        """How far it is from what versions differ by: up to 1 they are."""
        limits = LIMITS[self.kind]
        return max(
            self.shift / MAX_SHIFT,
            self.luma_mean / limits.luma_mean,
            self.colour_mean / limits.colour_mean,
            *(each / most for each, most in zip(self.luma, limits.luma, strict=True)),
            *(each / most for each, most in zip(self.colour, limits.colour, strict=True)),
        )


class _Places(NamedTuple):
    """A residual, and how much there is to see at each of its points."""

    residual: Plane
    activity: Plane


def deviation(one: CloseUp, other: CloseUp) -> float:
    """How far two pictures are from being versions; up to 1 they are. The order does not matter."""
    found = measured(one, other)
    return math.inf if found is None else found.deviation


def measured(one: CloseUp, other: CloseUp) -> Measured | None:
    """Compare two pictures; None if they are too small. About 0.1 s for half a megapixel."""
    pair = Aligned.of(*in_order(one, other))
    if min(pair.small.size) <= 2 * SQUARES[-1]:
        return None
    luma = pair.luma()
    found = _compared(luma, pair, fine=True)
    clipped = _clipped(found.expected, luma.result)
    places = _Places(found.residual, _activity(found.expected, luma.result, _SPREAD) * clipped)
    means, squares = [0.0], [(0.0,) * len(SQUARES)]
    for plane in pair.chroma():
        made = _compared(plane, pair, fine=False)
        across, down = plane.step
        activity = _activity(made.expected, plane.result, _SPREAD_OF_COLOUR)
        activity *= clipped[::down, ::across]
        activity += _LUMA_IN_COLOUR * places.activity[::down, ::across]
        beside = _Places(_inner(made.residual), activity)
        if plane.step == (1, 1):
            beside = _Places(*(sampled(each, 2, 2) for each in beside))
        squares.append(_squares(beside))
        means.append(_mean(made.expected, plane.result))
    return Measured(
        kind_of(pair),
        _squares(places),
        tuple(map(max, *squares)),
        _mean(found.expected, luma.result),
        max(means),
        found.shift,
    )


def _compared(plane: PlanePair, pair: Aligned, *, fine: bool) -> Resampled:
    return same_size(plane) if pair.same_size else resampled(plane, fine=fine)


def _inner(residual: Plane) -> Plane:
    """Without the outermost points, of which programs make the colours in ways of their own."""
    inner = np.zeros_like(residual)
    inner[1:-1, 1:-1] = residual[1:-1, 1:-1]
    return inner


def _squares(places: _Places) -> tuple[float, ...]:
    """The largest mean of the squares of each size, for its activity."""
    residual, activity = places
    found = []
    for side in SQUARES:
        means = np.abs(_means(residual, side))
        height, width = means.shape
        middles = activity[side // 2 :, side // 2 :][:height, :width]
        found.append(float((means / (1 + _BUSY * middles)).max()))
    return tuple(found)


def _mean(one: Plane, other: Plane) -> float:
    return abs(float(one.mean(dtype=np.float64) - other.mean(dtype=np.float64)))


def _clipped(one: Plane, other: Plane) -> Plane:
    """By how much more the activity counts where values may have been cut off."""
    lowest, highest = _CLIPPED
    cut = (np.minimum(one, other) < lowest) | (np.maximum(one, other) > highest)
    return 1 + _CLIPPED_MORE * _spread(cut.astype(np.float32), _CLIPPING)


def _activity(one: Plane, other: Plane, reach: int) -> Plane:
    """How much there is to see around each point of both planes."""
    return _spread(np.minimum(_deviation(one), _deviation(other)), reach)


def _deviation(values: Plane) -> Plane:
    around = np.pad(values, _NEIGHBOURHOOD // 2, mode="edge")
    mean = _means(around, _NEIGHBOURHOOD)
    squares = _means(around * around, _NEIGHBOURHOOD)
    return np.asarray(np.sqrt(np.maximum(squares - mean * mean, 0)))


def _means(values: Plane, side: int) -> Plane:
    """The mean of each square of so many points."""
    sums = np.pad(values, ((1, 0), (1, 0))).cumsum(0, np.float64).cumsum(1)
    inside = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    return np.asarray(inside / (side * side), np.float32)


def _spread(values: Plane, reach: int) -> Plane:
    """The largest value within reach of each point."""
    height, width = values.shape
    around = np.pad(values, reach, mode="edge")
    rows = around[:height].copy()
    for step in range(1, 2 * reach + 1):
        np.maximum(rows, around[step : step + height], out=rows)
    found = rows[:, :width].copy()
    for step in range(1, 2 * reach + 1):
        np.maximum(found, rows[:, step : step + width], out=found)
    return found
