"""Where one picture lies in another, by the landmarks that look alike.

Each pair of landmarks says where the whole picture would lie. By chance no two say the same.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from batchscan.emulator.landmarks import ALIKE, Floats, Landmarks

Box = tuple[float, float, float, float]  # left, top, right, bottom
Extent = tuple[int, int]  # width, height

AGREEING: Final = 3  # landmarks, at least, that say the same
_PAIRS: Final = 400  # the most alike, at most: in a fence everything looks alike
_NEAR: Final = 8.0  # pixels
_SCALE: Final = 1.6  # times; levels are coarse
_LARGEST: Final = 4.0  # times larger or smaller than the other


class Place(NamedTuple):
    """Where a picture lies in another: its x is `wide * x + left` there, y `high * y + top`."""

    wide: float
    high: float
    left: float
    top: float

    def turned(self) -> Place:
        """Where the other one lies in this one."""
        return Place(1 / self.wide, 1 / self.high, -self.left / self.wide, -self.top / self.high)

    def boxes(self, mine: Extent, other: Extent) -> tuple[Box, Box] | None:
        """What both show, in the one and in the other; None where that is next to nothing."""
        there = (
            max(0.0, self.left),
            max(0.0, self.top),
            min(float(other[0]), self.wide * mine[0] + self.left),
            min(float(other[1]), self.high * mine[1] + self.top),
        )
        if min(there[2] - there[0], there[3] - there[1]) < _NEAR:
            return None
        here = (
            max(0.0, (there[0] - self.left) / self.wide),
            max(0.0, (there[1] - self.top) / self.high),
            min(float(mine[0]), (there[2] - self.left) / self.wide),
            min(float(mine[1]), (there[3] - self.top) / self.high),
        )
        return here, there


def place(mine: Landmarks, other: Landmarks) -> Place | None:
    """Where most pairs of landmarks say that a picture lies; None where too few agree."""
    alike = mine.looks @ other.looks.T
    one, two = np.nonzero(alike > ALIKE)
    if len(one) < AGREEING:
        return None
    if len(one) > _PAIRS:
        most = np.argpartition(-alike[one, two], _PAIRS)[:_PAIRS]
        one, two = one[most], two[most]
    here, there = mine.places[one], other.places[two]
    larger = mine.scales[one] / other.scales[two]
    # Rows: what this pair says; columns: how far that is from what the other pair shows.
    moved = here - here[:, None]
    apart = np.abs(there[:, None] + larger[:, None, None] * moved - there).max(axis=2)
    steps = np.abs(np.log(larger[:, None] / larger))
    agree = (apart < _NEAR / other.scales[two]) & (steps < np.log(_SCALE))
    best = agree[agree.sum(axis=1).argmax()]
    return _fitted(here[best], there[best])


def _fitted(here: Floats, there: Floats) -> Place | None:
    """The place that lays these spots upon those, with the least squares between them."""
    if min(_apart(here), _apart(there)) < AGREEING:
        return None
    middle, goal = here.mean(axis=0), there.mean(axis=0)
    # Not the slope of a regression, which takes every error for less size.
    larger = float(np.sqrt(((there - goal) ** 2).sum() / ((here - middle) ** 2).sum()))
    if not 1 / _LARGEST < larger < _LARGEST:
        return None
    left, top = (float(each) for each in goal - larger * middle)
    return Place(larger, larger, left, top)


def _apart(places: Floats) -> int:
    """How many different spots these are: one is found at several scales."""
    return len(set(map(tuple, (places // _NEAR).tolist())))
