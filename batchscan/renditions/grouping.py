"""Grouping pictures that may be versions of each other.

Pictures come sorted, the best first. A group is a connected component of similar pairs; within it
each picture has its earlier neighbours, the only ones that can cover it. Whether a pair really is
one picture is checked later, for these few pairs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from batchscan.renditions.index import Hashes, Pairs, near_pairs, packed
from batchscan.renditions.rule import MAX_DISTANCE, MAX_DISTANCE_OF_RAW, MIN_DETAIL, SHAPE_TOLERANCE

MAX_NEIGHBOURS: Final = 64
"""The most neighbours of one picture that are compared, the best ones."""

_MAX_AT_ONCE: Final = 16  # pictures with the same time of exposure

_Numbers = npt.NDArray[np.int64]


@dataclass(slots=True)
class Pictures:
    """The fingerprints of many pictures, in columns."""

    hashes: Hashes
    detail: npt.NDArray[np.float64]
    width: npt.NDArray[np.float64]
    height: npt.NDArray[np.float64]
    taken: npt.NDArray[np.uint64]  # a fingerprint of the moment; 0 if it is not known

    @classmethod
    def of(cls, rows: Iterable[tuple[bytes, float, int, int, int]]) -> Pictures:
        """Put rows of hash, detail, width, height and moment into columns."""
        hashes, *columns = zip(*rows, strict=True) if (rows := list(rows)) else ([], [], [], [], [])
        detail, width, height = (np.array(column, np.float64) for column in columns[:3])
        return cls(packed(list(hashes)), detail, width, height, np.array(columns[3], np.uint64))

    @classmethod
    def joined(cls, parts: list[Pictures]) -> Pictures:
        """The rows of all parts, in their order."""
        names = ("hashes", "detail", "width", "height", "taken")
        columns = (np.concatenate([getattr(part, name) for part in parts]) for name in names)
        return cls(*columns)

    def near_any(self, few: Pictures) -> npt.NDArray[np.bool_]:
        """Which of these are within the rule's distance of any of a few others."""
        near = np.zeros(len(self), np.bool_)
        for words in few.hashes[few.detail >= MIN_DETAIL]:
            # Comparing one word excludes most of them.
            close = np.nonzero(np.bitwise_count(self.hashes[:, 0] ^ words[0]) <= MAX_DISTANCE)[0]
            bits = np.bitwise_count(self.hashes[close] ^ words).sum(axis=1)
            near[close[bits <= MAX_DISTANCE]] = True
        return near

    def taken_out(self, order: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> Pictures:
        """Select or reorder rows."""
        return Pictures(
            self.hashes[order],
            self.detail[order],
            self.width[order],
            self.height[order],
            self.taken[order],
        )

    def __len__(self) -> int:
        return len(self.hashes)

    def near_pairs(self, first_later: int = 0) -> Pairs:
        """All candidate pairs, each once: a picture's number and a later one.

        Args:
            first_later: pairs of which the later one comes before are left out.
        """
        detailed = np.nonzero(self.detail >= MIN_DETAIL)[0]  # blank ones are all alike
        first = int(np.searchsorted(detailed, first_later))
        parts = [
            self._of_one_shape(np.column_stack((detailed[pairs[:, :2]], pairs[:, 2])))
            for pairs in near_pairs(self.hashes[detailed], first)
        ]
        moments = self._of_one_moment()
        return np.concatenate([*parts, moments[moments[:, 1] >= first_later]])

    def _of_one_shape(self, pairs: Pairs) -> Pairs:
        one, other = pairs[:, 0], pairs[:, 1]
        return pairs[
            same_shapes(
                (self.width[one], self.height[one]), (self.width[other], self.height[other])
            )
        ]

    def _of_one_moment(self) -> Pairs:
        """Pairs that were taken in the same fraction of a second and look alike: RAW and JPEG."""
        timed = np.nonzero(self.taken)[0]
        order = timed[np.lexsort((timed, self.taken[timed]))]
        parts = [_NOTHING]
        for step in range(1, _MAX_AT_ONCE):
            ones, others = order[:-step], order[step:]
            same = self.taken[ones] == self.taken[others]
            if not same.any():
                break
            ones, others = ones[same], others[same]
            bits = np.bitwise_count(self.hashes[ones] ^ self.hashes[others]).sum(axis=1)
            pairs = np.stack((ones, others, bits), axis=1).astype(np.int64)
            parts.append(pairs[bits <= MAX_DISTANCE_OF_RAW])
        return np.concatenate(parts)


_NOTHING: Final = np.empty((0, 3), np.int64)


def same_shapes(
    one: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]],
    other: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]],
) -> npt.NDArray[np.bool_]:
    """`rule.same_shape` of many pairs at once."""
    (width, height), (wide, high) = one, other
    first = (width * height, width, height)
    second = (wide * high, wide, high)
    less = first[0] < second[0]
    less |= (first[0] == second[0]) & (first[1] <= second[1])
    small_w, small_h = np.where(less, width, wide), np.where(less, height, high)
    large_w, large_h = np.where(less, wide, width), np.where(less, high, height)
    across = small_w >= small_h
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.where(
            across,
            np.abs(large_h * small_w / large_w - small_h),
            np.abs(large_w * small_h / large_h - small_w),
        )
    return np.asarray(apart <= SHAPE_TOLERANCE)


class Group(NamedTuple):
    """Connected pictures, the best first, and each one's earlier neighbours."""

    members: list[int]
    earlier: list[list[int]]  # of each member: members by their numbers, the best first


@dataclass(slots=True)
class Groups:
    """All groups, including those of single pictures."""

    count: int
    pairs: Pairs
    _order: _Numbers = field(init=False)
    _labels: _Numbers = field(init=False)

    def __post_init__(self) -> None:
        self._labels = _components(self.count, self.pairs)
        self._order = np.lexsort((np.arange(self.count), self._labels))
        self.pairs = self.pairs[np.lexsort((self.pairs[:, 0], self.pairs[:, 1]))]

    def __iter__(self) -> Iterator[Group]:
        """The groups in the order of their best pictures."""
        starts = np.searchsorted(self.pairs[:, 1], np.arange(self.count + 1))
        labels = self._labels[self._order]
        ends = (np.nonzero(np.diff(labels))[0] + 1).tolist() if self.count else []
        begin = 0
        for end in (*ends, *([self.count] if self.count else [])):
            members = self._order[begin:end].tolist()
            begin = end
            if len(members) == 1:
                yield Group(members, [[]])
            else:
                yield Group(members, [self._earlier(starts, number) for number in members])

    def _earlier(self, starts: _Numbers, number: int) -> list[int]:
        """Each neighbour once: a pair may have been found in two ways."""
        neighbours = self.pairs[starts[number] : starts[number + 1], 0].tolist()
        return list(dict.fromkeys(neighbours))[:MAX_NEIGHBOURS]


def _components(count: int, pairs: Pairs) -> _Numbers:
    """The first picture of each picture's component."""
    labels = np.arange(count)
    ones, others = pairs[:, 0], pairs[:, 1]
    while (labels[ones] != labels[others]).any():
        lower = np.minimum(labels[ones], labels[others])
        # The labels' own labels, too: a chain of ten thousand takes a dozen rounds.
        for places in (labels[ones], labels[others], ones, others):
            np.minimum.at(labels, places, lower)
        labels = labels[labels]
    while (labels != labels[labels]).any():
        labels = labels[labels]
    return labels
