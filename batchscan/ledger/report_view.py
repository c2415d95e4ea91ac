"""Which pictures this process speaks of: those that it saw, or those that an earlier run saw."""

from __future__ import annotations

import os
import sqlite3
import zlib
from collections.abc import Iterator
from itertools import accumulate, pairwise

import msgspec

_PATH = (
    "coalesce((SELECT CAST(iif(d.path = x'2f', '', d.path) || '/' || f.name AS BLOB) FROM files f"
    " JOIN folders d ON d.id = f.folder_id WHERE f.picture_id = p.id LIMIT 1),"
    " (SELECT c.path FROM claims c WHERE c.picture_id = p.id ORDER BY generation DESC LIMIT 1))"
)
_FRESH = "EXISTS (SELECT 1 FROM answers a WHERE a.picture_id = p.id AND a.run_id = ?)"


class ReportPictures:
    """The table of what this process saw; unchanged pictures that never had a match are left out."""

    def __init__(self, connection: sqlite3.Connection, realm_id: int) -> None:
        self._connection = connection
        self._realm_id = realm_id

    def add(self, picture_id: int, path: str, *, fresh: bool) -> None:
        """See a picture; `fresh` when this run scanned it."""
        self._connection.execute(
            "INSERT INTO report_pictures VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET fresh = max(fresh, excluded.fresh)",
            (picture_id, os.fsencode(path), fresh),
        )

    def forget(self) -> None:
        """See nothing any more."""
        self._connection.execute("DELETE FROM report_pictures")

    def with_matches(self) -> Iterator[tuple[int, bytes, int]]:
        """The pictures seen that have or had a match: number, path, whether this run scanned it."""
        return self._connection.execute(
            "SELECT picture_id, path, fresh FROM report_pictures s WHERE EXISTS"
            " (SELECT 1 FROM sightings m WHERE m.picture_id = s.picture_id) ORDER BY picture_id"
        )

    def matched(self) -> bytes:
        """The pictures seen that have or had a match, to be kept with the run."""
        numbers = [row[0] for row in self.with_matches()]
        steps = [after - before for before, after in pairwise([0, *numbers])]
        return zlib.compress(msgspec.msgpack.encode(steps))

    def see_run(self, run_id: str, matched: bytes | None) -> None:
        """See what an earlier run saw; without its list, what it decided with an answer."""
        self.forget()
        if matched is None:
            self._see_decided(run_id)
            return
        steps = msgspec.msgpack.decode(zlib.decompress(matched), type=list[int])
        self._connection.executemany(
            f"INSERT OR IGNORE INTO report_pictures SELECT p.id, {_PATH}, {_FRESH} FROM pictures p"
            " WHERE p.id = ?",
            ((run_id, number) for number in accumulate(steps)),
        )

    def see_all(self) -> None:
        """See every picture of this realm that has or had a match."""
        self.forget()
        self._connection.execute(
            f"INSERT INTO report_pictures SELECT p.id, {_PATH}, 0 FROM pictures p WHERE p.realm_id = ?"
            " AND EXISTS (SELECT 1 FROM sightings m WHERE m.picture_id = p.id)",
            (self._realm_id,),
        )

    def _see_decided(self, run_id: str) -> None:
        self._connection.execute(
            "INSERT OR IGNORE INTO report_pictures SELECT a.picture_id, c.path, a.run_id = o.run_id"
            " FROM outcomes o JOIN answers a ON a.id = o.answer_id"
            " JOIN claims c ON c.scan_id = a.scan_id WHERE o.run_id = ?"
            " ORDER BY a.run_id = o.run_id DESC",
            (run_id,),
        )
