"""The decisions about matches: who, what, when and why. Append-only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator

from batchscan.enums import Disposition
from batchscan.ledger.match_rows import MatchKey
from batchscan.report_sections import MatchDecision

MAX_DECISIONS = 50  # about one match in a report, the newest

_COLUMNS = "b.at, b.who, d.before, d.after, b.note, b.undoes IS NOT NULL"


class DecisionHistory:
    """Reads the tables of decisions."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._any: bool | None = None

    def of_match(self, place: MatchKey) -> tuple[MatchDecision, ...]:
        """The decisions about a match, the newest first."""
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM decided d JOIN decisions b ON b.id = d.decision_id"
            " WHERE d.picture_id = ? AND d.key = ? ORDER BY b.id DESC LIMIT ?",
            (*place, MAX_DECISIONS),
        )
        return tuple(_decisions(rows))

    def of_picture(self, picture_id: int) -> dict[str, tuple[MatchDecision, ...]]:
        """The decisions about each of a picture's matches, by the match's current URL."""
        if not self._has_any():
            return {}
        rows = self._connection.execute(
            "SELECT m.url, m.key FROM sightings m WHERE m.picture_id = ? AND EXISTS"
            " (SELECT 1 FROM decided d WHERE d.picture_id = m.picture_id AND d.key = m.key)",
            (picture_id,),
        )
        return {url: self.of_match(MatchKey(picture_id, key)) for url, key in rows.fetchall()}

    def _has_any(self) -> bool:
        """Whether there are any decisions; saves a query for each picture of a report."""
        if not self._any:
            row = self._connection.execute("SELECT EXISTS (SELECT 1 FROM decisions)").fetchone()
            self._any = bool(row[0])
        return self._any


def _decisions(
    rows: Iterable[tuple[float, str, str, str, str | None, int]],
) -> Iterator[MatchDecision]:
    for at, who, before, after, note, undoes in rows:
        yield MatchDecision(at, who, Disposition(before), Disposition(after), note, bool(undoes))
