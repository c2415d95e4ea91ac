"""Unchanged files with old answers, queued until all new pictures were sent."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from batchscan.ledger.freshness import FileStat
from batchscan.model import Candidate, Stat
from batchscan.util.paths import join_path, split_path


class DueRescan(NamedTuple):
    """An unchanged file that is due to be sent again; those with older answers come first."""

    file: FileStat
    counts_from: float
    covered: bool = False  # by the answer of another version, which is sent first


class RescanQueue:
    """A temporary table; SQLite moves it to disk when it grows, so that memory stays constant."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(
        self, folder: str, root: str | None, due: Iterable[DueRescan], *, explicit: bool
    ) -> None:
        """Add files of a folder."""
        path = os.fsencode(folder)
        top = None if root is None else os.fsencode(root)
        self._connection.executemany(
            "INSERT INTO due_rescans (counts_from, covered, folder, root, explicit, name, size,"
            " mtime_ns, ctime_ns) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (counts_from, covered, path, top, explicit, os.fsencode(name), *stat)
                for (name, *stat), counts_from, covered in due
            ),
        )

    def holds(self, path: str, *, taken: bool) -> bool:
        """Whether a file is in the queue, or was `taken` from it."""
        folder, name = split_path(os.fsencode(path))
        row = self._connection.execute(
            "SELECT 1 FROM due_rescans WHERE folder = ? AND name = ? AND NOT covered"
            " AND (NOT taken OR ?)",
            (folder, name, taken),
        ).fetchone()
        return row is not None

    def take(self, limit: int, *, covered: bool = False) -> list[Candidate]:
        """Take files from the queue, the oldest answers first; empty at the end.

        Args:
            limit: number of files.
            covered: take those covered by another version's answer. They are not rescans
                themselves: they are sent only if that version cannot cover them any more.
        """
        rows = self._connection.execute(
            "SELECT id, folder, root, explicit, name, size, mtime_ns, ctime_ns FROM due_rescans"
            " WHERE NOT taken AND covered = ? ORDER BY counts_from, id LIMIT ?",
            (covered, limit),
        ).fetchall()
        self._connection.executemany(
            "UPDATE due_rescans SET taken = 1 WHERE id = ?", ((row[0],) for row in rows)
        )
        return [
            Candidate(
                path=os.fsdecode(join_path(folder, name)),
                stat=Stat(*stat),
                named_by_user=bool(explicit),
                root=None if root is None else os.fsdecode(root),
                is_rescan=not covered,
            )
            for _, folder, root, explicit, name, *stat in rows
        ]
