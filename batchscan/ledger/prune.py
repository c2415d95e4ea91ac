"""Deleting rows that neither scans nor evidence need.

Answers, claims, contents, matches and decisions are never deleted. The row of a missing file may
be: if the file comes back, it is opened once and recognized by its content.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Container, Iterable, Iterator

# Rows of matched pictures stay: reports and allow rules need their paths.
_GOING = (
    "FROM files WHERE EXISTS (SELECT 1 FROM prune_candidates g WHERE g.folder_id = files.folder_id"
    " AND g.name = files.name)"
)
_KEPT = "EXISTS (SELECT 1 FROM sightings m WHERE m.picture_id = files.picture_id)"
_FOLDERS_A_TURN = 500


class Pruning:
    """Counts and deletes rows about files that no longer exist, and old messages."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def folders(self) -> Iterator[tuple[int, bytes]]:
        """All folders with rows of files: id and path."""
        after = 0
        while rows := self._connection.execute(
            "SELECT id, path FROM folders WHERE id > ? ORDER BY id LIMIT ?",
            (after, _FOLDERS_A_TURN),
        ).fetchall():
            after = rows[-1][0]
            yield from rows

    def names(self, folder_id: int) -> set[bytes]:
        """The file names in a folder, in all realms."""
        rows = self._connection.execute(
            "SELECT DISTINCT f.name FROM realms r CROSS JOIN files f ON f.realm_id = r.id"
            " AND f.folder_id = ?",
            (folder_id,),
        )
        return {row[0] for row in rows}

    def roots(self) -> set[bytes]:
        """The roots of all runs in the ledger."""
        rows = self._connection.execute(
            "SELECT DISTINCT CAST(r.value AS BLOB) FROM runs,"
            " json_each(CAST(facts AS TEXT), '$.roots') r"
        )
        return {row[0] for row in rows}

    def mark(self, folder_id: int, names: Iterable[bytes], root: bytes) -> None:
        """Mark files below a root as missing."""
        self._connection.executemany(
            "INSERT OR IGNORE INTO prune_candidates VALUES (?, ?, ?)",
            ((folder_id, name, root) for name in names),
        )

    def unmark_but(self, roots: Container[bytes]) -> int:
        """Keep only the marks below these roots; returns how many others there were."""
        marked = self._connection.execute(
            "SELECT root, count(*) FROM prune_candidates GROUP BY root"
        )
        others = {root: number for root, number in marked.fetchall() if root not in roots}
        self._connection.executemany(
            "DELETE FROM prune_candidates WHERE root = ?", ((root,) for root in others)
        )
        return sum(others.values())

    def count_files(self) -> tuple[int, int]:
        """How many rows of marked files can be deleted, and how many have to stay."""
        marked, kept = self._connection.execute(
            f"SELECT count(*), coalesce(sum({_KEPT}), 0) {_GOING}"
        ).fetchone()
        return marked - kept, kept

    def drop_files(self) -> None:
        """Delete rows of marked files, then empty folders, with their cached blocks."""
        self._connection.execute(
            "DELETE FROM seals WHERE folder_id IN (SELECT folder_id FROM prune_candidates)"
        )
        self._connection.execute(f"DELETE {_GOING} AND NOT {_KEPT}")
        self._connection.execute(
            "DELETE FROM seals WHERE folder_id NOT IN (SELECT folder_id FROM files)"
        )
        self._connection.execute(
            "DELETE FROM folders WHERE id NOT IN (SELECT folder_id FROM files)"
        )

    def count_delivered(self, before: float) -> int:
        """How many messages were delivered before a time, in seconds since 1970."""
        return self._count("SELECT count(*) FROM messages WHERE told_at < ?", before)

    def drop_delivered(self, before: float) -> None:
        """Delete messages that were delivered before a time; pending ones stay."""
        self._connection.execute("DELETE FROM messages WHERE told_at < ?", (before,))

    def _count(self, query: str, *values: object) -> int:
        return int(self._connection.execute(query, values).fetchone()[0])
