"""Statistics of the whole ledger: counts by realm, and sizes of tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from batchscan.ledger.match_history import STATE, MatchHistory
from batchscan.ledger.perspective import Perspective
from batchscan.util.timestamps import utc_time

# Bytes of the large columns, if SQLite was built without `dbstat`.
_CONTENTS = """
    SELECT 'answers', coalesce(sum(length(body)), 0) FROM answers
    UNION ALL SELECT 'unread_bodies', coalesce(sum(length(body)), 0) FROM unread_bodies
    UNION ALL SELECT 'sightings', coalesce(sum(2 * length(key) + coalesce(length(pages), 0)), 0)
        FROM sightings
    UNION ALL SELECT 'portraits',
        coalesce(sum(length(provenance) + coalesce(length(thumbnail), 0)), 0) FROM portraits
    UNION ALL SELECT 'files', coalesce(sum(length(name) + coalesce(length(line), 0)), 0) FROM files
    UNION ALL SELECT 'folders', coalesce(sum(length(path)), 0) FROM folders
    UNION ALL SELECT 'seals', coalesce(sum(length(matched)), 0) FROM seals
    UNION ALL SELECT 'claims', coalesce(sum(length(scan_id) + length(path)), 0) FROM claims
    UNION ALL SELECT 'outcomes', coalesce(sum(length(line)), 0) FROM outcomes
    UNION ALL SELECT 'runs', coalesce(sum(length(facts) + coalesce(length(report), 0)), 0) FROM runs
    UNION ALL SELECT 'captures', coalesce(sum(2 * length(url) + coalesce(length(preview), 0)), 0)
        FROM captures
    UNION ALL SELECT 'messages', coalesce(sum(length(body)), 0) FROM messages
"""
_PAID = """
    SELECT (SELECT count(*) FROM answers a JOIN pictures p ON p.id = a.picture_id
            WHERE p.realm_id = :realm),
        (SELECT coalesce(sum(d.sends), 0) FROM doubts d JOIN claims USING (scan_id)
            JOIN pictures p ON p.id = picture_id WHERE p.realm_id = :realm),
        (SELECT count(*) FROM claims c JOIN pictures p ON p.id = c.picture_id
            WHERE p.realm_id = :realm AND c.state = 'open')
"""


@dataclass(frozen=True, slots=True)
class RealmStats:
    """Counts of pictures, answers, files and credits of one realm."""

    api_url: str
    sandbox: bool
    pictures: int  # distinct contents
    answered: int  # of these
    answers: int
    files: int  # with a final verdict
    rejected: int  # of these
    credits: tuple[int, ...]  # charged since each of the given times
    doubts: int  # sends that may have been charged without an answer
    open_claims: int
    matches: dict[str, dict[str, int]]  # by state, by disposition
    oldest_answer: float | None  # of those that are their picture's newest
    newest_answer: float | None


@dataclass(frozen=True, slots=True)
class RunStats:
    """Counts of runs, open and closed."""

    open: int
    closed: int
    oldest: str | None  # ids
    newest: str | None


class Stats:
    """Queries for `batchscan state stats`, over all realms."""

    def __init__(self, connection: sqlite3.Connection, history: MatchHistory) -> None:
        self._connection = connection
        self._history = history

    def realms(self, moments: Sequence[float], news_of: Sequence[str]) -> list[RealmStats]:
        """The counts of each realm.

        Args:
            moments: seconds since 1970; credits are summed since each of them.
            news_of: the runs whose matches count as new.
        """
        self._history.look_from(Perspective(tuple(news_of)))
        rows = self._connection.execute("SELECT id, api_url, sandbox FROM realms ORDER BY id")
        return [self._realm(moments, *row) for row in rows.fetchall()]

    def runs(self) -> RunStats:
        """The counts of runs."""
        closed, open_, oldest, newest = self._connection.execute(
            "SELECT count(nullif(closed, 0)), count(*) - count(nullif(closed, 0)),"
            " (SELECT run_id FROM runs ORDER BY rowid LIMIT 1),"
            " (SELECT run_id FROM runs ORDER BY rowid DESC LIMIT 1) FROM runs"
        ).fetchone()
        return RunStats(open_, closed, oldest, newest)

    def latest_runs(self) -> list[tuple[str, bytes]]:
        """The open runs and the last closed one of each realm, with their checkpoints."""
        return self._connection.execute(
            "SELECT run_id, facts FROM runs r WHERE NOT closed OR closed ="
            " (SELECT max(closed) FROM runs o WHERE o.realm_id = r.realm_id)"
        ).fetchall()

    def folders(self) -> int:
        """How many folders contain or contained pictures."""
        return _number(self._connection.execute("SELECT count(*) FROM folders"))

    def messages(self) -> tuple[int, int]:
        """How many messages are pending, and how many were delivered."""
        delivered, all_ = self._connection.execute(
            "SELECT count(told_at), count(*) FROM messages"
        ).fetchone()
        return all_ - delivered, delivered

    def free(self) -> int:
        """Unused bytes of the file."""
        return _number(
            self._connection.execute(
                "SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size"
            )
        )

    def sizes(self, *, exact: bool = True) -> dict[str, int]:
        """Bytes of each table with its indexes, the largest first.

        Args:
            exact: whether to count pages, if this SQLite can; else only the large columns.
        """
        try:
            sizes = self._pages() if exact else self._contents()
        except sqlite3.OperationalError:  # compiled without dbstat
            sizes = self._contents()
        return dict(sorted(sizes.items(), key=lambda item: (-item[1], item[0])))

    def _pages(self) -> dict[str, int]:
        rows = self._connection.execute(
            "SELECT m.tbl_name, sum(s.pgsize) FROM dbstat s JOIN sqlite_master m USING (name)"
            " WHERE s.aggregate = TRUE GROUP BY 1"
        )
        return dict(rows.fetchall())

    def _contents(self) -> dict[str, int]:
        return dict(self._connection.execute(_CONTENTS).fetchall())

    def _realm(
        self, moments: Sequence[float], realm_id: int, api_url: str, sandbox: int
    ) -> RealmStats:
        pictures, answered, oldest, newest = self._connection.execute(
            "SELECT count(*), count(a.id), min(a.received_at), max(a.received_at)"
            " FROM pictures p LEFT JOIN answers a ON a.id = p.answer_id WHERE realm_id = ?",
            (realm_id,),
        ).fetchone()
        files, rejected = self._connection.execute(
            "SELECT count(*), count(*) - count(picture_id) FROM files WHERE realm_id = ?",
            (realm_id,),
        ).fetchone()
        answers, doubts, open_claims = self._connection.execute(
            _PAID, {"realm": realm_id}
        ).fetchone()
        return RealmStats(
            api_url=api_url,
            sandbox=bool(sandbox),
            pictures=pictures,
            answered=answered,
            answers=answers,
            files=files,
            rejected=rejected,
            credits=tuple(self._charged(realm_id, at) for at in moments),
            doubts=doubts,
            open_claims=open_claims,
            matches=self._matches(realm_id),
            oldest_answer=_time(oldest),
            newest_answer=_time(newest),
        )

    def _charged(self, realm_id: int, since: float) -> int:
        return _number(
            self._connection.execute(
                "SELECT CAST(total(credits) AS INTEGER) FROM answers a INDEXED BY answers_by_time"
                " CROSS JOIN pictures p ON p.id = a.picture_id"
                " WHERE p.realm_id = ? AND a.received_at >= ?",
                (realm_id, since),
            )
        )

    def _matches(self, realm_id: int) -> dict[str, dict[str, int]]:
        """The matches by state and disposition."""
        rows = self._connection.execute(
            f"SELECT {STATE}, m.disposition, count(*) FROM sightings m"
            " JOIN pictures p ON p.id = m.picture_id WHERE p.realm_id = ? GROUP BY 1, 2",
            (realm_id,),
        )
        counts: dict[str, dict[str, int]] = {}
        for state, disposition, number in rows:
            counts.setdefault(state, {})[disposition] = number
        return counts


def _time(value: float | None) -> float | None:
    if value is not None:
        utc_time(value)  # so that an impossible one is an error of the ledger
    return value


def _number(cursor: sqlite3.Cursor) -> int:
    return int(cursor.fetchone()[0])
