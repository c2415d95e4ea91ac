"""Grouping the files of a run by the fingerprints in the ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from batchscan.ledger.rendition_files import Hashes
from batchscan.ledger.rendition_verdicts import Verdicts
from batchscan.renditions.grouping import Group, Groups, Pictures
from batchscan.renditions.index import HASH_BYTES

A_FEW: Final = 2_000
"""Noted files for which answered pictures are looked through page by page, and not all kept."""

AT_ONCE: Final = 64  # files whose thumbnails are compared at once


@dataclass(slots=True)
class FamilyPlan:
    """Groups of the noted files and of the answered pictures that they may be versions of."""

    answered: list[int]  # picture ids; a group's numbers below their count are indexes of this
    groups: Groups
    verdicts: Verdicts


def next_groups(groups: Iterator[Group], first: int, *, single: bool = True) -> list[Group]:
    """The next groups with some dozens of files, without groups of answered pictures only.

    Args:
        groups: the remaining groups.
        first: the number of the first noted file.
        single: whether to include groups of one file.
    """
    chosen: list[Group] = []
    files = 0
    while files < AT_ONCE and (group := next(groups, None)) is not None:
        if group.members[-1] >= first and (single or len(group.members) > 1):
            chosen.append(group)
            files += len(group.members)
    return chosen


@dataclass(slots=True)
class Columns:
    """The fingerprints of many files, column by column."""

    numbers: npt.NDArray[np.int64]
    contents: npt.NDArray[np.uint64]  # the first bytes of their hashes
    pictures: Pictures

    @classmethod
    def of(cls, rows: Sequence[Hashes]) -> Columns:
        """Make columns of rows; files without a fingerprint get a detail of 0."""
        return cls(
            np.array([row.number for row in rows], np.int64),
            np.array([_start(row.sha256) for row in rows], np.uint64),
            Pictures.of(
                (row.hash or _NO_HASH, row.detail, row.width, row.height, _moment(row.taken))
                for row in rows
            ),
        )

    @classmethod
    def joined(cls, parts: list[Columns]) -> Columns:
        """The rows of all parts, in their order."""
        return cls(
            np.concatenate([part.numbers for part in parts]),
            np.concatenate([part.contents for part in parts]),
            Pictures.joined([part.pictures for part in parts]),
        )

    def beside(self, noted: Columns, joined: Collection[str]) -> Columns:
        """The rows that a few noted files may be versions of."""
        near = np.isin(self.pictures.taken, noted.pictures.taken[noted.pictures.taken != 0])
        starts = [_start(bytes.fromhex(sha256)) for sha256 in joined]
        near |= np.isin(self.contents, np.array(starts, np.uint64))
        near |= self.pictures.near_any(noted.pictures)
        return Columns(self.numbers[near], self.contents[near], self.pictures.taken_out(near))

    def best_first(self) -> Columns:
        """The rows sorted by pixels, most first."""
        pixels = self.pictures.width * self.pictures.height
        order = np.lexsort((self.contents, -pixels))
        return Columns(self.numbers[order], self.contents[order], self.pictures.taken_out(order))


_NO_HASH: Final = bytes(HASH_BYTES)


def _start(sha256: bytes) -> int:
    return int.from_bytes(sha256[:8], "big")


def _moment(taken: str) -> int:
    return _start(hashlib.sha256(taken.encode()).digest()) if taken else 0


NO_COLUMNS: Final = Columns.of(())


def plan(answered: Columns, noted: Columns, verdicts: Verdicts) -> FamilyPlan:
    """Group the noted files, and the answered pictures that they may be versions of."""
    both = Columns.joined([answered, noted])
    first = len(answered.pictures)
    pairs = both.pictures.near_pairs(first)
    joined = [
        (min(first_row, second_row), max(first_row, second_row), _UNLIKE)
        for pair in verdicts.joined
        for first_row in _numbers(both, min(pair))
        for second_row in _numbers(both, max(pair))
    ]
    if joined:
        pairs = np.concatenate((pairs, np.array(joined, np.int64)))
    return FamilyPlan(answered.numbers.tolist(), Groups(len(both.pictures), pairs), verdicts)


_UNLIKE: Final = 256  # bits


def _numbers(columns: Columns, sha256: str) -> list[int]:
    return list(np.nonzero(columns.contents == _start(bytes.fromhex(sha256)))[0].tolist())
