"""What the ledger may forget: nothing that was paid for, and nothing that a next scan goes by.

Never forgotten are answers, claims and what is known of contents, matches and what was decided
about them. A file's row says where a content is, and that it need not be opened: when it comes
back, it is opened once, and known by its content.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Container, Iterable, Iterator

# Those of matched pictures say where these were, for reports and allow rules.
_GOING = (
    "FROM files WHERE EXISTS (SELECT 1 FROM prune_candidates g WHERE g.folder_id = files.folder_id"
    " AND g.name = files.name)"
)
_KEPT = "EXISTS (SELECT 1 FROM sightings m WHERE m.picture_id = files.picture_id)"
_FOLDERS_A_TURN = 500


class Pruning:
    """What goes, counted before it does."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def folders(self) -> Iterator[tuple[int, bytes]]:
        """Every folder with rows of files, by number."""
        after = 0
        while rows := self._connection.execute(
            "SELECT id, path FROM folders WHERE id > ? ORDER BY id LIMIT ?",
            (after, _FOLDERS_A_TURN),
        ).fetchall():
            after = rows[-1][0]
            yield from rows

    def names(self, folder_id: int) -> set[bytes]:
        """The names of the files known in a folder, in any realm."""
        rows = self._connection.execute(
            "SELECT DISTINCT f.name FROM realms r CROSS JOIN files f ON f.realm_id = r.id"
            " AND f.folder_id = ?",
            (folder_id,),
        )
        return {row[0] for row in rows}

    def roots(self) -> set[bytes]:
        """The roots of all runs that are known, as their facts have them."""
        rows = self._connection.execute(
            "SELECT DISTINCT CAST(r.value AS BLOB) FROM runs,"
            " json_each(CAST(facts AS TEXT), '$.roots') r"
        )
        return {row[0] for row in rows}

    def mark(self, folder_id: int, names: Iterable[bytes], root: bytes) -> None:
        """Let these files below a root of scans be gone."""
        self._connection.executemany(
            "INSERT OR IGNORE INTO prune_candidates VALUES (?, ?, ?)",
            ((folder_id, name, root) for name in names),
        )

    def unmark_but(self, roots: Container[bytes]) -> int:
        """Let none be gone but those below these roots; how many that were."""
        marked = self._connection.execute(
            "SELECT root, count(*) FROM prune_candidates GROUP BY root"
        )
        others = {root: number for root, number in marked.fetchall() if root not in roots}
        self._connection.executemany(
            "DELETE FROM prune_candidates WHERE root = ?", ((root,) for root in others)
        )
        return sum(others.values())

    def count_files(self) -> tuple[int, int]:
        """How many rows of files that are gone may go, and how many of them stay."""
        marked, kept = self._connection.execute(
            f"SELECT count(*), coalesce(sum({_KEPT}), 0) {_GOING}"
        ).fetchone()
        return marked - kept, kept

    def drop_files(self) -> None:
        """Forget the files that are gone, and folders without any; their seals break."""
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

    def count_told(self, before: float) -> int:
        """How many messages were sent before a moment."""
        return self._count("SELECT count(*) FROM messages WHERE told_at < ?", before)

    def drop_told(self, before: float) -> None:
        """Forget messages that were sent before a moment; what is pending stays."""
        self._connection.execute("DELETE FROM messages WHERE told_at < ?", (before,))

    def _count(self, query: str, *values: object) -> int:
        return int(self._connection.execute(query, values).fetchone()[0])
