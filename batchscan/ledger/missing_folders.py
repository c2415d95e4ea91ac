"""Folders in which pictures were seen before, and which may be deleted or not mounted now."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

FOLDERS_AT_ONCE = 1_000


class KnownFolder(NamedTuple):
    """A folder with pictures in the ledger."""

    folder_id: int
    path: bytes
    mounted: bool | None  # on another file system than its root; None if that is not known
    reported: bool  # whether it was reported as missing


class MissingFolders:
    """Compares the folders that a walk visits with those in the ledger."""

    def __init__(self, connection: sqlite3.Connection, realm_id: int) -> None:
        self._connection = connection
        self._realm_id = realm_id

    def saw(self, folder: str, *, mounted: bool, writable: bool) -> None:
        """Note that a walk found pictures in a folder.

        Args:
            folder: its absolute path.
            mounted: whether it is on another file system than its root.
            writable: whether to store that for later runs.
        """
        path = os.fsencode(folder)
        row = self._known(path)
        if writable and (row is None or row[1:] != (mounted, 0)):
            self._connection.execute(
                "INSERT INTO folders (path, mounted) VALUES (?, ?) ON CONFLICT (path)"
                " DO UPDATE SET mounted = excluded.mounted, reported_missing = 0",
                (path, mounted),
            )
            row = self._known(path)
        if row is not None:
            self._connection.execute("INSERT OR IGNORE INTO walked VALUES (?)", row[:1])

    def _known(self, path: bytes) -> tuple[int, int | None, int] | None:
        row: tuple[int, int | None, int] | None = self._connection.execute(
            "SELECT id, mounted, reported_missing FROM folders WHERE path = ?", (path,)
        ).fetchone()
        return row

    def unseen_below(self, root: str, after: bytes = b"") -> list[KnownFolder]:
        """Known folders below a root in which the walk found no pictures, sorted by path.

        Returns some at once; to be called again with the last one's path until there are none.
        """
        raw = os.fsencode(root).rstrip(b"/")
        rows = self._connection.execute(
            "SELECT d.id, d.path, d.mounted, d.reported_missing FROM folders d"
            " WHERE d.path >= ? AND d.path > ? AND d.path < ?"
            " AND d.id NOT IN (SELECT folder_id FROM walked)"
            " AND EXISTS (SELECT 1 FROM files f WHERE f.realm_id = ? AND f.folder_id = d.id)"
            " ORDER BY d.path LIMIT ?",
            (raw + b"/", after, raw + b"0", self._realm_id, FOLDERS_AT_ONCE),  # "0" follows "/"
        ).fetchall()
        return [
            KnownFolder(number, path, None if mounted is None else bool(mounted), bool(reported))
            for number, path, mounted, reported in rows
        ]

    def has_moved(self, folder_id: int) -> bool:
        """Whether all that was known in a missing folder is in folders that the walk has visited.

        Pictures are found by their content, and files that were rejected beside them by their
        names and times. Looks at the files found, as rows of deleted ones stay. To be asked when
        all that was listed has its verdict.
        """
        places: set[int] = set()
        for name, size, mtime_ns, picture_id in self._connection.execute(
            "SELECT name, size, mtime_ns, picture_id FROM files"
            " WHERE realm_id = ? AND folder_id = ? ORDER BY picture_id IS NULL",
            (self._realm_id, folder_id),
        ):
            if picture_id is None:
                place = self._place_of_rejected(places, name, size, mtime_ns)
            else:
                place = self._place_of_picture(picture_id)
            if place is None:
                return False
            places.add(place)
        return bool(places)

    def _place_of_picture(self, picture_id: int) -> int | None:
        """A visited folder with a file of this content; None without one."""
        for place, path, name, size, mtime_ns in self._connection.execute(
            "SELECT d.id, d.path, f.name, f.size, f.mtime_ns FROM files f"
            " JOIN walked w ON w.folder_id = f.folder_id JOIN folders d ON d.id = f.folder_id"
            " WHERE f.picture_id = ? AND f.realm_id = ?",
            (picture_id, self._realm_id),
        ):
            if _is_there(os.path.join(path, name), size, mtime_ns):
                return int(place)
        return None

    def _place_of_rejected(
        self, places: Iterable[int], name: bytes, size: int, mtime_ns: int
    ) -> int | None:
        """The one of these folders with a file that has this name, size and time."""
        for place in places:
            row = self._connection.execute(
                "SELECT path FROM folders WHERE id = ?", (place,)
            ).fetchone()
            if row is not None and _is_there(os.path.join(row[0], name), size, mtime_ns):
                return place
        return None

    def reported(self, folder_ids: Iterable[int]) -> None:
        """Remember that these were reported as missing."""
        self._connection.executemany(
            "UPDATE folders SET reported_missing = 1 WHERE id = ?",
            ((number,) for number in folder_ids),
        )


def _is_there(path: bytes, size: int, mtime_ns: int) -> bool:
    try:
        found = os.stat(path)
    except OSError:
        return False
    return (found.st_size, found.st_mtime_ns) == (size, mtime_ns)
