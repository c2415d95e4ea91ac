"""Counts of matches, decisions and credits by day, site and folder, for statistics."""

from __future__ import annotations

import math
import os
import sqlite3
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from batchscan.enums import Disposition
from batchscan.util.paths import split_path

DAY = 86_400.0
_FIRST, _LAST = 0.0, 253_402_300_799.0  # from 1970 to the end of the year 9999

# Decisions that were undone do not count, nor does undoing them. A match that was marked by a
# version that kept no decisions counts once, when it was marked last.
_EVENTS = """
    WITH undone AS MATERIALIZED (
        SELECT u.undoes AS decision_id, t.picture_id, t.key FROM decisions u
            JOIN decided t ON t.decision_id = u.id WHERE u.undoes IS NOT NULL
    ), made AS (
        SELECT d.picture_id, d.key, d.after AS word, b.at FROM decisions b
            JOIN decided d ON d.decision_id = b.id
            LEFT JOIN undone x ON x.decision_id = b.id AND x.picture_id = d.picture_id
                AND x.key = d.key
            WHERE b.realm_id = :realm AND b.undoes IS NULL AND x.decision_id IS NULL
        UNION ALL
        SELECT m.picture_id, m.key, m.disposition, m.marked_at FROM sightings m
            JOIN pictures p ON p.id = m.picture_id
            WHERE p.realm_id = :realm AND m.marked_at IS NOT NULL AND m.disposition <> 'open'
                AND NOT EXISTS (SELECT 1 FROM decided d
                    WHERE d.picture_id = m.picture_id AND d.key = m.key)
    )
"""
_TO_DO = (  # with the table of allowed matches filled
    "m.disposition IN ('open', 'reviewed') AND NOT EXISTS (SELECT 1 FROM allowed_matches a2"
    " WHERE a2.picture_id = m.picture_id AND a2.key = m.key)"
)
_FOLDER = (
    "coalesce((SELECT d.path FROM files f JOIN folders d ON d.id = f.folder_id"
    " WHERE f.picture_id = p.id ORDER BY d.path LIMIT 1), '')"
)
_CLAIMED = (
    "(SELECT c.path FROM claims c WHERE c.picture_id = p.id ORDER BY generation DESC LIMIT 1)"
)


class DayCount(NamedTuple):
    """A count on one day (UTC)."""

    day: int  # since 1970
    word: str
    number: int


class Removal(NamedTuple):
    """A match that was marked as noticed and then as removed."""

    at: float  # when it was marked as removed; seconds since 1970
    days: float  # since it was marked as noticed
    domain: str
    picture_id: int


class PlaceCount(NamedTuple):
    """A count of matches of one site, or of one folder's pictures."""

    name: str
    word: str
    number: int


class Activity:
    """Counts over matches, decisions and answers of one realm."""

    def __init__(self, connection: sqlite3.Connection, realm_id: int) -> None:
        """Count in one realm of the ledger."""
        self._connection = connection
        self._realm = {"realm": realm_id}

    def found(self) -> Iterator[DayCount]:
        """Matches by the day on which an answer first contained them."""
        return self._by_day(
            "",
            "SELECT m.first_seen AS at, 'found' AS word, 1 AS number FROM sightings m"
            " JOIN pictures p ON p.id = m.picture_id WHERE p.realm_id = :realm",
        )

    def decided(self) -> Iterator[DayCount]:
        """Decisions about matches by day and disposition."""
        return self._by_day(_EVENTS, "SELECT at, word, 1 AS number FROM made")

    def charged(self) -> Iterator[DayCount]:
        """Credits by the day of their answer, and sends without an answer, possibly charged."""
        yield from self._by_day(
            "",
            "SELECT a.received_at AS at, 'credits' AS word, coalesce(a.credits, 0) AS number"
            " FROM answers a JOIN pictures p ON p.id = a.picture_id WHERE p.realm_id = :realm",
        )
        yield from self._by_day(
            "",
            "SELECT d.at, 'unanswered' AS word, d.sends AS number FROM doubts d"
            " JOIN claims USING (scan_id) JOIN pictures p ON p.id = picture_id"
            " WHERE p.realm_id = :realm",
        )

    def removals(self) -> Iterator[Removal]:
        """Matches that were marked as removed after a notice to their site."""
        rows = self._connection.execute(
            f"{_EVENTS} SELECT e.picture_id, e.key, e.word, e.at, m.domain FROM made e"
            " JOIN sightings m ON m.picture_id = e.picture_id AND m.key = e.key"
            " WHERE e.word IN ('noticed', 'removed') ORDER BY e.picture_id, e.key, e.at",
            self._realm,
        )
        for (picture_id, _), events in groupby(rows, key=lambda row: (row[0], row[1])):
            noticed: float | None = None
            for _, _, word, at, domain in events:
                if word == Disposition.NOTICED:
                    noticed = at if noticed is None else noticed
                elif noticed is not None:
                    yield Removal(bounded(at), max(0.0, at - noticed) / DAY, domain, picture_id)
                    noticed = None

    def by_site(self) -> Iterator[PlaceCount]:
        """Matches by site: found, on the worklist now, and by disposition."""
        yield from self._places(
            "SELECT m.domain, 'found', count(*) FROM sightings m"
            " JOIN pictures p ON p.id = m.picture_id WHERE p.realm_id = :realm GROUP BY 1"
        )
        yield from self._places(
            "SELECT m.domain, 'worklist', count(*) FROM sightings m"
            " JOIN pictures p ON p.id = m.picture_id AND m.answer_id = p.answer_id"
            f" WHERE p.realm_id = :realm AND {_TO_DO} GROUP BY 1"
        )
        yield from self._places(
            f"{_EVENTS} SELECT m.domain, e.word, count(*) FROM made e JOIN sightings m"
            " ON m.picture_id = e.picture_id AND m.key = e.key GROUP BY 1, 2"
        )

    def by_picture(self) -> Iterator[tuple[int, str, int]]:
        """The same by picture: its id, the word, the count."""
        yield from self._connection.execute(
            "SELECT m.picture_id, 'found', count(*) FROM sightings m"
            " JOIN pictures p ON p.id = m.picture_id WHERE p.realm_id = :realm GROUP BY 1",
            self._realm,
        )
        yield from self._connection.execute(
            "SELECT m.picture_id, 'worklist', count(*) FROM sightings m"
            " JOIN pictures p ON p.id = m.picture_id AND m.answer_id = p.answer_id"
            f" WHERE p.realm_id = :realm AND {_TO_DO} GROUP BY 1",
            self._realm,
        )
        yield from self._connection.execute(
            f"{_EVENTS} SELECT e.picture_id, e.word, count(*) FROM made e GROUP BY 1, 2",
            self._realm,
        )

    def folders(self) -> Iterator[tuple[int, str]]:
        """The ids of pictures with matches, and the folder of one of their files."""
        rows = self._connection.execute(
            f"SELECT p.id, {_FOLDER}, {_CLAIMED} FROM pictures p WHERE p.realm_id = :realm"
            " AND EXISTS (SELECT 1 FROM sightings m WHERE m.picture_id = p.id)",
            self._realm,
        )
        for picture_id, folder, claimed in rows:
            yield picture_id, os.fsdecode(folder or split_path(claimed or b"")[0])

    def _by_day(self, before: str, query: str) -> Iterator[DayCount]:
        rows = self._connection.execute(
            f"{before} SELECT CAST(min(max(at, {_FIRST}), {_LAST}) / {DAY} AS INTEGER), word,"
            f" sum(number) FROM ({query}) GROUP BY 1, 2",
            self._realm,
        )
        yield from map(DayCount._make, rows)

    def _places(self, query: str) -> Iterator[PlaceCount]:
        yield from map(PlaceCount._make, self._connection.execute(query, self._realm))


def bounded(at: float) -> float:
    """A time that can be written as a date, even if the clock was far off."""
    return _FIRST if math.isnan(at) else min(max(at, _FIRST), _LAST)
