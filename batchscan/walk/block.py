"""The results of a walk: blocks of files with their stat, and counts of what was left out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from batchscan.model import MAX_COUNT, Stat, bounded

BLOCK = 10_000  # files in a block, and names of a folder that are held in memory at once
MAX_UNREADABLE = 10_000  # unreadable folders that are named; others are counted


# A file of a block's folder as one stat saw it: name, bytes, mtime_ns, ctime_ns. A plain tuple,
# because there may be millions.
Entry: TypeAlias = tuple[str, int, int, int]

Folder = TypeVar("Folder")  # the walk's own type


def entry_of(name: str, status: os.stat_result) -> Entry:
    """Take the three numbers from a stat result."""
    return (name, *Stat.of(status))


@dataclass(slots=True)
class Block:
    """At most 10,000 files of one folder; each list is sorted by the bytes of the names."""

    folder: str  # absolute, links unresolved
    root: str | None = None  # the root folder it was found under; None for named files
    mounted: bool = False  # on another file system than its root
    named_by_user: bool = False  # named by the user: a file root, or a line of a list
    entries: list[Entry] = field(default_factory=list)  # with the extension of a picture
    unnamed: list[Entry] = field(
        default_factory=list
    )  # without a known extension: the content decides
    without_stat: list[str] = field(default_factory=list)  # named by the user, and not readable

    def __len__(self) -> int:
        return len(self.entries) + len(self.unnamed) + len(self.without_stat)

    def sort(self) -> None:
        """Sort by the bytes of names, as the ledger does, and bound times to its columns."""
        self.entries, self.unnamed = _bounded(self.entries), _bounded(self.unnamed)
        _sort(self.entries)
        _sort(self.unnamed)
        self.without_stat.sort(key=os.fsencode)


@dataclass(slots=True)
class WalkCounts:
    """Counts of what was left out or could not be read, and of files by root.

    Only the walking thread may change them.
    """

    ignored: int = 0  # other names, links not followed, devices, FIFOs, sockets
    excluded: int = 0  # left out by patterns: pictures, and folders not entered
    unreadable_folders: int = 0
    unreadable: dict[str, str] = field(default_factory=dict)  # the first ones, and why
    seen: dict[str, int] = field(default_factory=dict)  # files in blocks, by absolute root folder

    def lost(self, path: str, why: str) -> None:
        """Count a folder, or a list of names, that could not be read to its end."""
        self.unreadable_folders += 1
        if len(self.unreadable) < MAX_UNREADABLE:
            self.unreadable[path] = why


def _bounded(entries: list[Entry]) -> list[Entry]:
    """Bound times to what a column of the ledger can hold; nearly all files need no change."""
    if all(
        -MAX_COUNT <= entry[2] <= MAX_COUNT and -MAX_COUNT <= entry[3] <= MAX_COUNT
        for entry in entries
    ):
        return entries
    return [(name, size, bounded(mtime), bounded(ctime)) for name, size, mtime, ctime in entries]


def _sort(entries: list[Entry]) -> None:
    # Text orders as its bytes do, but for names that are not UTF-8; plain sorting is thrice as fast.
    if "".join([entry[0] for entry in entries]).isascii():
        entries.sort()
    else:
        entries.sort(key=lambda entry: os.fsencode(entry[0]))


def descend(top: Folder, opened: Callable[[Folder], Iterator[Block | Folder]]) -> Iterator[Block]:
    """The blocks of a folder and of all folders below it, depth first."""
    # A stack, not recursion: a path may have 2,000 folders.
    stack = [opened(top)]
    while stack:
        child = next(stack[-1], None)
        if child is None:
            stack.pop()
        elif isinstance(child, Block):
            yield child
        else:
            stack.append(opened(child))
