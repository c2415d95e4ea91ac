"""What the ledger says of many pictures at once, by SQL: the digest, and everything it knows."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from batchscan.digest import Digest, DomainCount, MatchedImage, MatchTotals
from batchscan.ledger.claims import ANSWER_COLUMNS, StoredAnswer

MOST_IMAGES = 1_000

_KINDS = "sum(m.kind = 'full'), sum(m.kind = 'partial')"


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file with its final verdict: an answer, or a rejection's line."""

    path: str
    size: int
    sha256: str | None
    format: str | None
    width: int | None
    height: int | None
    answer: StoredAnswer | None
    rejection: bytes | None


class Overview:
    """Questions about the pictures seen by this process, and about all."""

    def __init__(self, connection: sqlite3.Connection, realm_id: int) -> None:
        self._connection = connection
        self._realm_id = realm_id

    def digest(self) -> Digest:
        """Matches of every picture seen; each content and match URL once."""
        return Digest(
            matches=self._totals("1"),
            run_matches=self._totals("s.fresh"),
            domains=tuple(self._domains()),
            images=tuple(self._images()),
        )

    def see_run(self, run_id: str) -> None:
        """See what an earlier run decided with an answer, to make its digest."""
        self.forget_seen()
        self._connection.execute(
            "INSERT OR IGNORE INTO seen SELECT a.picture_id, c.path, a.run_id = o.run_id"
            " FROM outcomes o JOIN answers a ON a.id = o.answer_id"
            " JOIN claims c ON c.scan_id = a.scan_id WHERE o.run_id = ?"
            " ORDER BY a.run_id = o.run_id DESC",
            (run_id,),
        )

    def forget_seen(self) -> None:
        """See nothing any more."""
        self._connection.execute("DELETE FROM seen")

    def files(self) -> Iterator[KnownFile]:
        """Every file with a final verdict in this realm, folder by folder."""
        rows = self._connection.execute(
            "SELECT d.path, f.name, f.size, p.sha256, p.format, p.width, p.height, f.line,"
            f" {ANSWER_COLUMNS}"
            " FROM files f JOIN folders d ON d.id = f.folder_id"
            " LEFT JOIN pictures p ON p.id = f.picture_id LEFT JOIN answers a ON a.id = p.answer_id"
            " WHERE f.realm_id = ? ORDER BY f.folder_id, f.name",
            (self._realm_id,),
        )
        for folder, name, size, sha256, format_, width, height, line, *answer in rows:
            yield KnownFile(
                path=os.fsdecode(os.path.join(folder, name)),
                size=size,
                sha256=sha256.hex() if sha256 else None,
                format=format_,
                width=width,
                height=height,
                answer=StoredAnswer.of(answer) if answer[0] is not None else None,
                rejection=line,
            )

    def _totals(self, which: str) -> MatchTotals:
        row = self._connection.execute(
            f"SELECT count(DISTINCT m.picture_id), count(*), {_KINDS}"
            f" FROM seen s CROSS JOIN matches m USING (picture_id) WHERE {which}"
        ).fetchone()
        return MatchTotals(*(number or 0 for number in row))

    def _domains(self) -> Iterator[DomainCount]:
        rows = self._connection.execute(
            f"SELECT m.domain, count(DISTINCT m.picture_id) AS images, {_KINDS}"
            " FROM seen s CROSS JOIN matches m USING (picture_id)"
            " GROUP BY m.domain ORDER BY images DESC, count(*) DESC, m.domain"
        )
        for row in rows:
            yield DomainCount(*row)

    def _images(self) -> Iterator[MatchedImage]:
        rows = self._connection.execute(
            f"SELECT s.path, lower(hex(p.sha256)), {_KINDS}, count(*), a.received_at"
            " FROM seen s CROSS JOIN matches m USING (picture_id)"
            " JOIN pictures p ON p.id = s.picture_id JOIN answers a ON a.id = p.answer_id"
            " GROUP BY s.picture_id"
            " ORDER BY 3 DESC, 4 DESC, 5 DESC, s.path LIMIT ?",
            (MOST_IMAGES,),
        )
        for row in rows:
            yield MatchedImage(*row)
