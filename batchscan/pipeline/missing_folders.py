"""Mounts and folders below a root that are missing, though pictures were seen in them.

A disk that is not mounted looks like an empty or missing folder. A known mount point is reported in
every run until it is back; a folder of the root's own file system was probably deleted, and is
reported once, or moved: it is not reported if all its pictures were found elsewhere.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from batchscan import stores
from batchscan.ledger import KnownFolder, Ledger, LedgerThread
from batchscan.util.paths import is_url


@dataclass(slots=True)
class MissingFolderCheck:
    """Collects the missing folders below a root."""

    tops: dict[str, None] = field(default_factory=dict)  # the highest missing folders, in order
    reported_once: list[int] = field(default_factory=list)  # not to be reported by later runs

    def add(self, root: str, folders: Iterable[KnownFolder], moved: Container[int]) -> None:
        """Add folders that are empty or missing; blocking, so run it in a thread.

        Args:
            root: which they are below.
            folders: as `_empty_or_missing` returns them.
            moved: the ids of those whose pictures were found elsewhere.
        """
        for folder in folders:
            path = os.fsdecode(folder.path)
            if not _may_be_mount(folder):
                self.reported_once.append(folder.folder_id)
                if folder.folder_id in moved:
                    continue
            self.tops.setdefault(_highest_missing(root, path))


def _empty_or_missing(folders: Iterable[KnownFolder]) -> list[KnownFolder]:
    """Those of the folders that are to be reported, if they have not moved; blocking.

    In others, pictures were deleted one by one, or are excluded now.
    """
    return [
        folder
        for folder in folders
        if not (folder.reported and not folder.mounted)
        and not _has_entries(os.fsdecode(folder.path))
    ]


def _may_be_mount(folder: KnownFolder) -> bool:
    """Whether another file system may have been mounted there: an empty folder may be the place."""
    return bool(folder.mounted) or (folder.mounted is None and os.path.lexists(folder.path))


def _moved_among(folders: Sequence[KnownFolder], ledger: Ledger) -> set[int]:
    """The ids of the missing folders whose pictures were all found elsewhere in this run."""
    return {
        folder.folder_id
        for folder in folders
        if not _may_be_mount(folder) and ledger.missing_folders.has_moved(folder.folder_id)
    }


def _has_entries(path: str) -> bool:
    try:
        with os.scandir(path) as entries:
            return next(entries, None) is not None
    except FileNotFoundError:
        return False
    except OSError:
        return True  # the walk has reported it as unreadable


def _highest_missing(root: str, path: str) -> str:
    """The highest folder between a root and a missing folder that is empty or missing, too."""
    while (above := os.path.dirname(path)) != root and len(above) > len(root):
        if _has_entries(above):
            break
        path = above
    return path


async def missing_below(root: str, ledger: LedgerThread, *, writable: bool) -> list[str]:
    """The highest missing folders below a root, when all that was listed has its verdict.

    Args:
        root: in which pictures were found.
        ledger: knows the folders and their pictures.
        writable: whether to remember what later runs are not to report.
    """
    missing, after = MissingFolderCheck(), b""
    while folders := await ledger.run(partial(_unseen_below, root, after)):
        gone = await asyncio.to_thread(_empty_or_missing, folders)
        moved = await ledger.run(partial(_moved_among, gone))
        await asyncio.to_thread(missing.add, root, gone, moved)
        after = folders[-1].path
    if missing.reported_once and writable:
        once = missing.reported_once
        await ledger.run(lambda ledger: ledger.missing_folders.reported(once))
    return list(missing.tops)


def _unseen_below(root: str, after: bytes, ledger: Ledger) -> list[KnownFolder]:
    return ledger.missing_folders.unseen_below(root, after)


def is_empty(root: str) -> bool:
    """Whether a root is empty or cannot be listed."""
    if is_url(root):
        return stores.is_empty(root)
    try:
        with os.scandir(root) as entries:
            return next(entries, None) is None
    except OSError:
        return True
