"""Two pictures at one size, plane by plane, and what compression does not explain between them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from PIL.Image import Resampling

from batchscan.renditions.jpeg_rounding import as_stored, excess, halved
from batchscan.renditions.pixel_limits import kind_of
from batchscan.renditions.pixels import SIDE, Pixels, Plane, Table, in_order
from batchscan.renditions.resampling import (
    LANCZOS,
    REACH,
    ResamplingFilter,
    filter_of,
    filtered,
    resized,
)

BAND: Final = 112
"""Rows of lightness that are compared at once, so that few values are in memory as floats."""

OVERLAP: Final = 16
"""Rows that a band has in common with the next one, as many as the largest square."""

_HALVED: Final = (2, 2)  # how most JPEGs store their colours
_INEXACT: Final = 0.03  # of a frequency, which a resampled plane may be off by


class PlanePair(NamedTuple):
    """A plane of the smaller picture, and the larger one's at its size."""

    result: Plane
    source: Plane
    residual: Plane  # what compression does not explain of the difference, in levels

    @property
    def shift(self) -> float:
        """How far the means are apart, in levels."""
        return abs(float((self.result - self.source).mean(dtype=np.float64)))


class PixelPair(NamedTuple):
    """Two pictures, and how the smaller one was made from the larger one."""

    large: Pixels
    small: Pixels
    size: tuple[int, int]  # at which they are compared
    filter: ResamplingFilter | None  # None if each pixel of one is one of the other's

    @classmethod
    def of(cls, one: Pixels, other: Pixels) -> PixelPair:
        """Prepare a comparison; the order does not matter."""
        large, small = in_order(one, other)
        width, height = small.planes[0].size
        scale = min(1.0, SIDE / max(width, height))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        if large.size == small.size and large.planes[0].size == small.planes[0].size:
            return cls(large, small, size, None)
        goal = resized(small.planes[0], small.extent, size)
        return cls(large, small, size, filter_of(large.planes[0], large.extent, goal))

    @property
    def kind(self) -> str:
        """How the two were saved, which decides about the limits."""
        return kind_of(self.large, self.small, self.size)

    def luma(self) -> Iterator[PlanePair]:
        """Their planes of lightness, in bands of rows that overlap."""
        result = resized(self.small.planes[0], self.small.extent, self.size)
        resampling = LANCZOS if self.filter is None else self.filter.resampling
        source = resized(self.large.planes[0], self.large.extent, self.size, resampling)
        slack, height = self._slack(0), self.size[1]
        for top in range(0, max(1, height - OVERLAP), BAND):
            bottom = min(height, top + BAND + OVERLAP)
            first, last = max(0, top - REACH), min(height, bottom + REACH)
            made = source[first:last].astype(np.float32)
            if self.filter is not None:
                made = filtered(made, self.filter)
            made = made[top - first :][: bottom - top]
            seen = result[top:bottom].astype(np.float32)
            yield PlanePair(seen, made, self._residual(seen, made, slack))

    def colours(self) -> Iterator[PlanePair]:
        """Their planes of colour, of half the size."""
        for number in (1, 2):
            slack = self._slack(number)
            if slack is not None and self.small.sampling == (1, 1):
                seen, made = (
                    resized(picture.planes[number], picture.extent, self.size).astype(np.float32)
                    for picture in (self.small, self.large)
                )
                left = halved(self._residual(seen, made, slack))
                yield PlanePair(halved(seen), halved(made), left)
                continue
            seen, made = (self._halved(picture, number) for picture in (self.small, self.large))
            if slack is not None and self.small.sampling == _HALVED:
                seen = as_stored(seen)
                if self.filter is None and self.large.tables and self.large.sampling == _HALVED:
                    made = as_stored(made)
                yield PlanePair(seen, made, self._residual(seen, made, slack))
                continue
            yield PlanePair(seen, made, seen - made)

    def _halved(self, picture: Pixels, number: int) -> Plane:
        """A plane of colour at half the size; one that has another size is resized only once."""
        plane, extent = picture.planes[number], picture.extent
        if plane.size == self.size and picture.whole:
            return halved(np.asarray(plane))
        width, height = self.size
        half = width // 2, height // 2
        extent = extent[0] * 2 * half[0] / width, extent[1] * 2 * half[1] / height
        return resized(plane, extent, half, Resampling.HAMMING).astype(np.float32)

    def _residual(self, result: Plane, source: Plane, slack: Table | None) -> Plane:
        apart = result - source
        if slack is None:
            return apart
        return excess(apart, source, slack, 0 if self.filter is None else _INEXACT)

    def _slack(self, number: int) -> Table | None:
        """Half a step of each table that a plane of the smaller one has been through on its grid."""
        tables = self.small.tables[number : number + 1]
        if not tables or self.size != self.small.size:
            return None
        same_grid = number == 0 or self.large.sampling == self.small.sampling
        if self.filter is None and same_grid:
            tables += self.large.tables[number : number + 1]
        return np.asarray(sum(tables) / 2, np.float32)
