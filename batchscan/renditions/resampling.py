"""How one plane of a picture was made from another: by which filter, sharpened, or shifted.

Programs make pictures smaller by filters of a few kinds, and some sharpen the result. Each known
filter is tried as it is; then a sum of them and of neighbouring points is fitted, which also covers
others. What counts is how little is left over after compression (`compression`).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from batchscan.renditions.aligned import PlanePair
from batchscan.renditions.compression import Plane, excess, frequencies_in

MAX_SHIFT: Final = 0.25
"""Points that two planes may be apart, along an axis or at its ends; a crop moves more."""

_NEIGHBOURS: Final = (
    ((0, 1), (1, 0), (0, -1), (-1, 0)),
    ((1, 1), (1, -1), (-1, 1), (-1, -1)),
    ((0, 2), (2, 0), (0, -2), (-2, 0)),
)
"""Those at one distance have one weight: no sum of them moves anything."""

_REACH: Final = 2
_SAMPLE: Final = 30_000  # points that the weights are fitted to
_STIFFNESS: Final = 0.02  # keeps weights that the points do not determine near zero
_ROUNDS: Final = 3
_KEPT: Final = 93  # per cent of the points, those that fit best; the others may have been edited
_ROUNDING: Final = 0.5  # levels
_INEXACT: Final = 0.03  # of a frequency, which a resampled plane may be off by
_MOST: Final = 6  # levels of one point that count for how well a plane fits
_BETTER: Final = 0.97  # how much less must be left over for a fitted sum to be preferred

_Values = npt.NDArray[np.float64]


class Resampled(NamedTuple):
    """How one plane was made from another."""

    expected: Plane  # the plane, before it was compressed
    residual: Plane  # what compression does not explain of the difference, in levels
    shift: float  # points that the two are apart, where it is most


def same_size(pair: PlanePair) -> Resampled:
    """What is left over between a plane and a recompressed one."""
    source = pair.sources[0]
    frequencies = frequencies_in(pair.result, source, pair.table)
    return Resampled(source, excess(source, frequencies, pair.slack, 0), 0)


def resampled(pair: PlanePair, *, fine: bool) -> Resampled:
    """Find how the smaller picture's plane was made from the larger one's.

    Args:
        pair: the planes.
        fine: whether to fit filters that reach further, and shifts by a fraction of a point.
    """
    sources, result, slack, _, table = pair
    frequencies = frequencies_in(result, sources[0], table)
    left = [excess(source, frequencies, slack, _INEXACT) for source in sources]
    costs = [_cost(each) for each in left]
    best = int(np.argmin(costs))
    base, residual = sources[best], left[best]
    columns = [each - base for at, each in enumerate(sources) if at != best]
    columns += _neighbours(base, len(_NEIGHBOURS) if fine else len(_NEIGHBOURS) - 1)
    shifts = _shifts(base) if fine else []
    columns += shifts
    target = result if slack is None else base - residual
    weights = _fitted(columns, target - base)
    expected = base + _sum(weights, columns)
    found = excess(expected, frequencies, slack, _INEXACT)
    if slack is not None:  # what compression has taken from the result must not be fitted
        weights = _fitted(columns, expected - found - base)
        expected = base + _sum(weights, columns)
        found = excess(expected, frequencies, slack, _INEXACT)
    shift = float(np.abs(weights[-len(shifts) :]).max()) if shifts else 0.0
    if _cost(found) < _BETTER * costs[best]:
        return Resampled(expected, found, shift)
    return Resampled(base, residual, shift)


def _cost(left: Plane) -> float:
    return float(np.minimum(np.abs(left), _MOST).mean())


def _sum(weights: _Values, columns: list[Plane]) -> Plane:
    found = np.float32(weights[0]) * columns[0]
    for weight, column in zip(weights[1:], columns[1:], strict=True):
        found += np.float32(weight) * column
    return np.asarray(found)


def _moved(plane: Plane, down: int, right: int) -> Plane:
    height, width = plane.shape
    around = np.pad(plane, _REACH, mode="edge")
    top, left = _REACH + down, _REACH + right
    return around[top : top + height, left : left + width]


def _neighbours(base: Plane, count: int) -> list[Plane]:
    """The sums of the differences of each point's neighbours at one distance from it."""
    found = []
    for places in _NEIGHBOURS[:count]:
        total = np.float32(-len(places)) * base
        for place in places:
            total += _moved(base, *place)
        found.append(total)
    return found


def _shifts(base: Plane) -> list[Plane]:
    """What moving a plane by a point adds to it: the same everywhere, and more at its ends."""
    height, width = base.shape
    half = np.float32(0.5)
    across = (_moved(base, 0, 1) - _moved(base, 0, -1)) * half
    along = (_moved(base, 1, 0) - _moved(base, -1, 0)) * half
    right = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    return [across, along, across * right, along * down]


def _fitted(columns: list[Plane], goal: Plane) -> _Values:
    """The least squares, and again without the points that fit worst."""
    step = max(1, goal.size // _SAMPLE)
    sample = np.stack([column.ravel()[::step] for column in columns]).astype(np.float64)
    wanted = goal.ravel()[::step].astype(np.float64)
    usual = np.ones(wanted.size, np.bool_)
    weights: _Values = np.zeros(len(columns))
    for _ in range(_ROUNDS):
        kept = sample[:, usual]
        stiffness = np.eye(len(columns)) * (_STIFFNESS * usual.sum())
        weights = np.asarray(np.linalg.solve(kept @ kept.T + stiffness, kept @ wanted[usual]))
        off = np.abs(wanted - weights @ sample)
        usual = off <= np.percentile(off, _KEPT) + _ROUNDING
    return weights
