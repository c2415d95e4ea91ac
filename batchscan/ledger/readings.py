"""Parsing stored answers: entering their matches, at once or by a later run or version."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from batchscan.ledger.files import FileTable
from batchscan.ledger.known import MAX_ATTEMPTS
from batchscan.ledger.match_entry import MatchEntry
from batchscan.model import Answer

_TO_READ = (
    "FROM answers a INDEXED BY answers_to_read JOIN pictures p ON p.id = a.picture_id"
    " WHERE (a.reader IS NULL OR a.trouble IS NOT NULL) AND coalesce(a.reader, -1) < ?"
    " AND p.realm_id = ?"
)
_SHORT = 4 * 1024  # bytes of a compressed body that needs little memory to parse
_LONG_OF_OPEN = (
    "AND length(body) > ? AND id IN (SELECT o.answer_id FROM outcomes o JOIN runs r USING (run_id)"
    " WHERE NOT r.closed)"
)


class Readings:
    """Enters parsed answers, and finds those that were not parsed yet."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        realm_id: int,
        files: FileTable,
        *,
        record_events: bool = False,
    ) -> None:
        """Enter answers of a realm; `record_events` keeps events for alerts."""
        self._connection = connection
        self._realm_id = realm_id
        self._entry = MatchEntry(connection, realm_id, record_events=record_events)
        self._files = files

    def to_read(self, reader: int) -> list[int]:
        """Answers not entered yet, or entered with trouble by an older parser; oldest first."""
        rows = self._connection.execute(
            f"SELECT a.id {_TO_READ} ORDER BY a.id", (reader, self._realm_id)
        )
        return [row[0] for row in rows]

    def unread(self) -> list[tuple[int, str]]:
        """Answers of killed runs that were stored and not parsed, with their runs."""
        return self._connection.execute(
            f"SELECT a.id, a.run_id {_TO_READ} AND a.reader IS NULL"
            " AND a.run_id IN (SELECT run_id FROM runs WHERE NOT closed) ORDER BY a.id",
            (0, self._realm_id),
        ).fetchall()

    def leave(self, answer_id: int) -> None:
        """Let the next run parse an answer again."""
        self._connection.execute(
            "UPDATE answers SET reader = NULL, attempts = 0 WHERE id = ?", (answer_id,)
        )

    def begin(self, answer_id: int) -> None:
        """Count an attempt to parse; committed before it starts, as it may crash the process."""
        self._connection.execute(
            "UPDATE answers SET attempts = coalesce(attempts, 0) + 1 WHERE id = ?", (answer_id,)
        )

    def ended(self, answer_ids: Iterable[int]) -> None:
        """Reset the attempts: parsing has finished without crashing the process."""
        self._connection.executemany(
            "UPDATE answers SET attempts = 0 WHERE id = ?", ((number,) for number in answer_ids)
        )

    def begin_lines(self) -> list[int]:
        """Count an attempt for all answers of killed runs, whose lines are rebuilt; their ids."""
        return [
            row[0]
            for row in self._connection.execute(
                "UPDATE answers SET attempts = attempts + 1 WHERE attempts IS NOT NULL"
                f" {_LONG_OF_OPEN} RETURNING id",
                (_SHORT,),
            )
        ]

    def given_up(self) -> list[tuple[int, str, float, int | None]]:
        """Answers whose parsing crashed too often: id, run, time received, credits."""
        return self._connection.execute(
            "SELECT a.id, a.run_id, a.received_at, a.credits FROM answers a"
            " INDEXED BY answers_attempted JOIN pictures p ON p.id = a.picture_id"
            " WHERE a.attempts > 0 AND a.attempts >= ? AND p.realm_id = ? ORDER BY a.id",
            (MAX_ATTEMPTS, self._realm_id),
        ).fetchall()

    def give_up(self, answer_id: int, answer: Answer, reader: int, run_id: str) -> None:
        """Enter that this version of the parser gives up on an answer."""
        self.enter(answer_id, answer, reader, run_id)
        self._connection.execute("UPDATE answers SET attempts = NULL WHERE id = ?", (answer_id,))

    def enter(
        self, answer_id: int, answer: Answer, reader: int, run_id: str, *, late: bool = False
    ) -> bool:
        """Enter the matches of an answer; returns whether it is the picture's first.

        An answer with trouble may be incomplete, so earlier matches stay present.

        Args:
            answer_id: its id.
            answer: its parsed content.
            reader: the version of the parser.
            run_id: the run in which its matches are new.
            late: whether the run that received it has ended already. The picture's files are
                then opened again, so that the next run reports them.
        """
        picture_id, before = self._connection.execute(
            "SELECT p.id, p.answer_id FROM answers a JOIN pictures p ON p.id = a.picture_id"
            " WHERE a.id = ?",
            (answer_id,),
        ).fetchone()
        self._connection.execute(
            "UPDATE answers SET credits = ?, reader = ?, trouble = ?, attempts = 0 WHERE id = ?",
            (answer.credits, reader, answer.trouble, answer_id),
        )
        if before is None or before <= answer_id:
            self._entry.record(picture_id, answer, answer_id, run_id, before)
            self._connection.execute(
                "UPDATE pictures SET answer_id = ? WHERE id = ?", (answer_id, picture_id)
            )
        if late or answer.trouble is not None:
            self._files.forget(picture_id)
        return before is None
