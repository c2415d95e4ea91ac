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

    def reported(self, folder_ids: Iterable[int]) -> None:
        """Remember that these were reported as missing."""
        self._connection.executemany(
            "UPDATE folders SET reported_missing = 1 WHERE id = ?",
            ((number,) for number in folder_ids),
        )
