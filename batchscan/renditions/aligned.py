"""Bringing two close-ups to one size and orientation, plane by plane."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
from PIL import Image

from batchscan.rendition_types import CloseUp
from batchscan.renditions.compression import Plane, Table, sampled, stored

MOST: Final = 1_600
"""Pixels of the longer side that are compared at most; beyond, a picture is halved."""

_FILTERS: Final = (
    Image.Resampling.LANCZOS,
    Image.Resampling.BOX,
    Image.Resampling.BILINEAR,
    Image.Resampling.BICUBIC,
)
_COLOUR_FILTERS: Final = (
    Image.Resampling.LANCZOS,
    Image.Resampling.BOX,
    Image.Resampling.BICUBIC,
)
_INVERSE: Final = {
    Image.Transpose.ROTATE_90: Image.Transpose.ROTATE_270,
    Image.Transpose.ROTATE_270: Image.Transpose.ROTATE_90,
}
_ACROSS: Final = (
    Image.Transpose.TRANSPOSE,
    Image.Transpose.ROTATE_270,
    Image.Transpose.TRANSVERSE,
    Image.Transpose.ROTATE_90,
)


class PlanePair(NamedTuple):
    """A plane of the larger picture, at the size of the smaller one's, and that one's."""

    sources: list[Plane]  # by each filter
    result: Plane
    slack: Table | None  # by how much compression may have moved each frequency of the result
    step: tuple[int, int]  # pixels across and down for each of its points
    table: Table | None  # by which the result was compressed


@dataclass(frozen=True, slots=True)
class _Picture:
    bands: tuple[Image.Image, ...]  # Y, Cb, Cr
    extent: tuple[float, float]
    saved: str
    tables: tuple[tuple[int, ...], ...]
    sampling: tuple[int, int]
    turn: Image.Transpose | None

    @property
    def size(self) -> tuple[int, int]:
        return self.bands[0].size


def in_order(one: CloseUp, other: CloseUp) -> tuple[CloseUp, CloseUp]:
    """The larger one, then the smaller one; of two of one size the one that was saved better."""

    def rank(each: CloseUp) -> tuple[int, int, tuple[bytes, ...]]:
        return -each.width * each.height, sum(map(sum, each.tables)), each.planes

    first, second = sorted((one, other), key=rank)
    return first, second


@dataclass(frozen=True, slots=True)
class Aligned:
    """Two pictures, of which the larger one is turned as the smaller one is."""

    large: _Picture
    small: _Picture

    @classmethod
    def of(cls, large: CloseUp, small: CloseUp) -> Aligned:
        """Align two close-ups that are in order."""
        whole = _small_enough(_picture(small))
        goal, source = _cut(whole), _picture(large)
        if source.turn != goal.turn:
            source = _turned(_turned(_cut(source), source.turn), _undo(goal.turn))
            source = replace(source, saved="somehow", tables=())  # its blocks lie elsewhere
        across, down = (
            each * part / all_
            for each, part, all_ in zip(source.extent, goal.extent, whole.extent, strict=True)
        )
        return cls(replace(source, extent=(across, down)), goal)

    @property
    def same_size(self) -> bool:
        """Whether the pictures have the same pixels, apart from compression."""
        alike = (self.large.saved == "reduced") == (self.small.saved == "reduced")
        return alike and self.large.size == self.large.extent == self.small.size

    @property
    def scale(self) -> float:
        """How large the smaller one is, for a larger one of 1."""
        return self.small.size[0] / self.large.extent[0]

    def luma(self) -> PlanePair:
        """Their planes of lightness."""
        filters = _FILTERS[:1] if self.same_size else _FILTERS
        sources = [self._resized(0, each) for each in filters]
        return PlanePair(
            sources, _values(self.small.bands[0]), self._slack(0, (1, 1)), (1, 1), self._table(0)
        )

    def chroma(self) -> Iterator[PlanePair]:
        """Their planes of colour, as the smaller one stores them."""
        step = self._sampling
        filters = _COLOUR_FILTERS[:1] if self.same_size else _COLOUR_FILTERS
        for number in (1, 2):
            from_jpeg = self.same_size and self.large.tables and self.large.sampling == step
            sources = [
                (stored if from_jpeg else sampled)(self._resized(number, each), *step)
                for each in filters
            ]
            values = _values(self.small.bands[number])
            as_stored = self.small.tables and self.small.sampling == step
            result = (stored if as_stored else sampled)(values, *step)
            table = self._table(number) if as_stored else None
            yield PlanePair(sources, result, self._slack(number, step), step, table)

    @property
    def _sampling(self) -> tuple[int, int]:
        """The smaller one's, unless the larger one has fewer colours at the same size."""
        if self.same_size and self.large.tables:
            (across, down), (wide, high) = self.small.sampling, self.large.sampling
            return max(across, wide), max(down, high)
        return self.small.sampling

    def _resized(self, number: int, how: Image.Resampling) -> Plane:
        band = self.large.bands[number]
        if self.same_size:
            return _values(band)
        box = (0, 0, *self.large.extent)
        return np.asarray(band.convert("F").resize(self.small.size, how, box), np.float32)

    def _table(self, number: int) -> Table | None:
        tables = self.small.tables
        return _matrix(tables[number]) if len(tables) > number else None

    def _slack(self, number: int, step: tuple[int, int]) -> Table | None:
        """Half a step of each table that the planes have been through on this grid."""
        tables = []
        if len(self.small.tables) > number and (number == 0 or self.small.sampling == step):
            tables.append(self.small.tables[number])
        same_grid = self.same_size and (number == 0 or self.large.sampling == step)
        if same_grid and len(self.large.tables) > number:
            tables.append(self.large.tables[number])
        if not tables:
            return None
        return np.asarray(sum(_matrix(table) / 2 for table in tables))


def _picture(found: CloseUp) -> _Picture:
    size = found.width, found.height
    bands = tuple(Image.frombytes("L", size, plane) for plane in found.planes)
    turn = None if found.turn is None else Image.Transpose(found.turn)
    return _Picture(bands, found.extent, found.saved, found.tables, found.sampling, turn)


def _small_enough(picture: _Picture) -> _Picture:
    if max(picture.size) <= MOST:
        return picture
    halves = tuple(band.reduce(2) for band in picture.bands)
    extent = picture.extent[0] / 2, picture.extent[1] / 2
    return _Picture(halves, extent, "reduced", (), (2, 2), picture.turn)


def _cut(picture: _Picture) -> _Picture:
    """The same without a partial last row or column."""
    size = int(picture.extent[0]), int(picture.extent[1])
    bands = tuple(band.crop((0, 0, *size)) for band in picture.bands)
    return replace(picture, bands=bands, extent=size)


def _turned(picture: _Picture, turn: Image.Transpose | None) -> _Picture:
    if turn is None:
        return picture
    bands = tuple(band.transpose(turn) for band in picture.bands)
    extent = picture.extent[::-1] if turn in _ACROSS else picture.extent
    return replace(picture, bands=bands, extent=extent)


def _undo(turn: Image.Transpose | None) -> Image.Transpose | None:
    return None if turn is None else _INVERSE.get(turn, turn)


def _matrix(table: tuple[int, ...]) -> Table:
    return np.array(table, np.float32).reshape(8, 8)


def _values(band: Image.Image) -> Plane:
    return np.asarray(band, np.float32)
