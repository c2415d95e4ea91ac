"""What was read of answers that were kept before: entered now, or by a later run or version."""

from __future__ import annotations

import sqlite3

from batchscan.ledger.files import Files
from batchscan.ledger.known import ANSWER_COLUMNS, StoredAnswer
from batchscan.ledger.match_history import MatchHistory
from batchscan.model import Answer

_TO_READ = (
    "FROM answers a INDEXED BY answers_to_read JOIN pictures p ON p.id = a.picture_id"
    " WHERE (a.reader IS NULL OR a.trouble IS NOT NULL) AND coalesce(a.reader, -1) < ?"
    " AND p.realm_id = ?"
)


class Readings:
    """Enters what answers say, and knows which ones nobody has read yet."""

    def __init__(
        self, connection: sqlite3.Connection, realm_id: int, history: MatchHistory, files: Files
    ) -> None:
        self._connection = connection
        self._realm_id = realm_id
        self._history = history
        self._files = files

    def to_read(self, reader: int) -> list[int]:
        """The answers that no reading has entered, or one before `reader` with trouble; oldest first."""
        rows = self._connection.execute(
            f"SELECT a.id {_TO_READ} ORDER BY a.id", (reader, self._realm_id)
        )
        return [row[0] for row in rows]

    def unread_of(self, run_id: str) -> list[StoredAnswer]:
        """The answers that came in a run and were never read: it was killed in between."""
        rows = self._connection.execute(
            f"SELECT {ANSWER_COLUMNS} {_TO_READ} AND a.reader IS NULL AND a.run_id = ?"
            " ORDER BY a.id",
            (0, self._realm_id, run_id),
        )
        return list(map(StoredAnswer.of, rows))

    def leave(self, answer_id: int) -> None:
        """Have the next run read an answer, whatever was entered of it."""
        self._connection.execute("UPDATE answers SET reader = NULL WHERE id = ?", (answer_id,))

    def enter(
        self, answer_id: int, answer: Answer, reader: int, run_id: str, *, late: bool = False
    ) -> None:
        """Enter what an answer says.

        An answer with trouble takes nothing away: what was there before it still counts as there.

        Args:
            answer_id: which one.
            answer: what it says.
            reader: the version of the reading.
            run_id: the run in which people learn of it.
            late: whether the run that got it has ended without it. Its files are then opened
                once more, so that a run tells of them.
        """
        picture_id, before = self._connection.execute(
            "SELECT p.id, p.answer_id FROM answers a JOIN pictures p ON p.id = a.picture_id"
            " WHERE a.id = ?",
            (answer_id,),
        ).fetchone()
        self._connection.execute(
            "UPDATE answers SET credits = ?, reader = ?, trouble = ? WHERE id = ?",
            (answer.credits, reader, answer.trouble, answer_id),
        )
        if before is None or before <= answer_id:
            self._history.record(picture_id, answer, answer_id, run_id)
            self._connection.execute(
                "UPDATE pictures SET answer_id = ? WHERE id = ?", (answer_id, picture_id)
            )
        if late or answer.trouble is not None:
            self._files.forget(picture_id)
