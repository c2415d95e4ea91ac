"""Mounts and folders below a root that are missing, though pictures were seen in them.

A disk that is not mounted looks like an empty or missing folder. A known mount point is reported in
every run until it is back; a folder of the root's own file system was probably deleted, and is
reported once.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from batchscan import stores
from batchscan.ledger import KnownFolder, Ledger
from batchscan.util.paths import is_url


@dataclass(slots=True)
class MissingFolderCheck:
    """Collects the missing folders below a root."""

    tops: dict[str, None] = field(default_factory=dict)  # the highest missing folders, in order
    reported_once: list[int] = field(default_factory=list)  # not to be reported by later runs

    def add(self, root: str, folders: Iterable[KnownFolder]) -> None:
        """Check folders in which a walk found no pictures; blocking, so run it in a thread."""
        for folder in folders:
            path = os.fsdecode(folder.path)
            if (folder.reported and not folder.mounted) or _has_entries(path):
                continue  # its pictures were deleted one by one, or are excluded now
            exists = os.path.lexists(path)
            # With `mounted` unknown, an empty folder may be a mount point.
            if not folder.mounted and not (exists and folder.mounted is None):
                self.reported_once.append(folder.folder_id)
            self.tops.setdefault(_highest_missing(root, path))


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


def unseen_below(root: str, after: bytes, ledger: Ledger) -> list[KnownFolder]:
    """The next known folders below a root in which this walk found no pictures."""
    return ledger.missing_folders.unseen_below(root, after)


def keep_reported(folder_ids: Sequence[int], ledger: Ledger) -> None:
    """Remember folders that are not to be reported again."""
    ledger.missing_folders.reported(folder_ids)


def is_empty(root: str) -> bool:
    """Whether a root is empty or cannot be listed."""
    if is_url(root):
        return stores.is_empty(root)
    try:
        with os.scandir(root) as entries:
            return next(entries, None) is None
    except OSError:
        return True
