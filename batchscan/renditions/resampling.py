"""How the smaller of two pictures was made: by which filter, and sharpened by how much.

Programs make pictures smaller by filters of a few kinds, and some sharpen the result. The filter
that fits best is found on a few strips; what is added of each point's neighbours is fitted.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from batchscan.renditions.pixels import Plane, Values

LANCZOS: Final = Image.Resampling.LANCZOS
_FILTERS: Final = (
    LANCZOS,
    Image.Resampling.BOX,
    Image.Resampling.BILINEAR,
    Image.Resampling.BICUBIC,
)
_NEIGHBOURS: Final = (
    ((0, 1), (1, 0), (0, -1), (-1, 0)),
    ((1, 1), (1, -1), (-1, 1), (-1, -1)),
    ((0, 2), (2, 0), (0, -2), (-2, 0)),
)
"""Offsets by distance; those at one distance share a weight, so that nothing is shifted."""

REACH: Final = 2
"""Points that a filter reaches around each, in addition."""

_STRIPS: Final = 4
_ROWS: Final = 14  # of a strip
_STEP: Final = 3  # every third point of a row is enough
_STIFFNESS: Final = 0.02  # keeps weights that the points do not determine near zero
_ROUNDS: Final = 2
_KEPT: Final = 93  # per cent of the points, those that fit best; the others may have been edited
_ROUNDING: Final = 0.5  # levels
_MOST: Final = 6  # levels of one point that count for how well a filter fits
_BETTER: Final = 0.98  # what another filter must leave of the difference to be preferred

_Numbers = npt.NDArray[np.float64]


class ResamplingFilter(NamedTuple):
    """How a plane is resampled."""

    resampling: Image.Resampling
    weights: tuple[float, ...]  # of the neighbours at each distance


def resized(
    plane: Image.Image,
    extent: tuple[float, float],
    size: tuple[int, int],
    resampling: Image.Resampling = LANCZOS,
) -> Values:
    """A plane at another size."""
    if plane.size != size or extent != size:
        plane = plane.resize(size, resampling, (0, 0, *extent))
    return np.asarray(plane)


def filter_of(plane: Image.Image, extent: tuple[float, float], goal: Values) -> ResamplingFilter:
    """The filter by which a plane was brought to the size of another one."""
    best, least = ResamplingFilter(LANCZOS, ()), np.inf
    for resampling in _FILTERS:
        weights, cost = _fitted(*_strips(plane, extent, goal, resampling))
        if cost < _BETTER * least:
            best, least = ResamplingFilter(resampling, tuple(weights.tolist())), cost
    return best


def filtered(base: Plane, how: ResamplingFilter) -> Plane:
    """A resampled plane with what a filter adds of each point's neighbours."""
    plane = base.copy()
    for weight, column in zip(how.weights, _neighbours(base), strict=True):
        plane += np.float32(weight) * column
    return np.clip(plane, 0, 255, out=plane)


def _strips(
    plane: Image.Image, extent: tuple[float, float], goal: Values, resampling: Image.Resampling
) -> tuple[Plane, Plane]:
    """The sums of some points' neighbours, a row for each distance, and the missing values."""
    height, width = goal.shape
    rows = min(_ROWS, height)
    columns, wanted = [], []
    for number in range(min(_STRIPS, height // rows)):
        top = round((number + 0.5) * (height - rows) / _STRIPS)
        box = (0, top * extent[1] / height, extent[0], (top + rows) * extent[1] / height)
        strip = np.asarray(plane.resize((width, rows), resampling, box), np.float32)
        columns.append(np.stack([_inner(total) for total in _neighbours(strip)]))
        wanted.append(_inner(goal[top : top + rows] - strip))
    return np.concatenate(columns, axis=1), np.concatenate(wanted)


def _inner(plane: Plane) -> Plane:
    return plane[REACH:-REACH, REACH:-REACH:_STEP].ravel()


def _neighbours(base: Plane) -> list[Plane]:
    """The sums of the differences of each point's neighbours at one distance from it."""
    height, width = base.shape
    around = np.pad(base, REACH, mode="edge")
    totals = []
    for places in _NEIGHBOURS:
        total = np.float32(-len(places)) * base
        for down, right in places:
            top, left = REACH + down, REACH + right
            total += around[top : top + height, left : left + width]
        totals.append(total)
    return totals


def _fitted(columns: Plane, goal: Plane) -> tuple[_Numbers, float]:
    """The weights of least squares without the points that fit worst, and what is left over."""
    sample, wanted = columns.astype(np.float64), goal.astype(np.float64)
    usual = np.ones(wanted.size, np.bool_)
    weights: _Numbers = np.zeros(len(sample))
    off = np.abs(wanted)
    for _ in range(_ROUNDS):
        used = sample[:, usual]
        stiffness = np.eye(len(sample)) * (_STIFFNESS * usual.sum())
        weights = np.asarray(np.linalg.solve(used @ used.T + stiffness, used @ wanted[usual]))
        off = np.abs(wanted - weights @ sample)
        usual = off <= np.percentile(off, _KEPT) + _ROUNDING
    return weights, float(np.minimum(off, _MOST).mean())
