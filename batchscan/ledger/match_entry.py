"""Entering the matches of answers into the history, and events about them for alerts."""

from __future__ import annotations

import sqlite3
from operator import itemgetter

from batchscan.enums import MatchEvent, MatchKind
from batchscan.ledger.match_rows import encoded_pages, keyed
from batchscan.model import Answer

MATCHES_A_STATEMENT = 200  # five values each; SQLite allows 32,766

# `last_seen` never goes back with the clock. A copy that returns is reopened as a new case; one
# that is still shown though it was marked as removed keeps its case, for the user to check again.
# All matches of an answer share ?1 to ?5; each `?` is numbered one higher than the largest before.
_INSERT = (
    "WITH before(answer_id) AS (VALUES (?5)) INSERT INTO sightings (picture_id, key, url, kind,"
    " domain, pages, answer_id, first_seen, last_seen, arrived_in, returned) VALUES"
)
# For a picture without matches, where nothing can conflict. Otherwise SQLite keeps every page that
# a statement changes in a file, to undo that statement alone; an error undoes the transaction here.
_INSERT_FIRST = _INSERT.replace("INSERT", "INSERT OR FAIL")
_UPDATE = """
    ON CONFLICT (picture_id, key) DO UPDATE SET
        url = excluded.url, kind = excluded.kind, domain = excluded.domain, pages = excluded.pages,
        answer_id = excluded.answer_id, last_seen = max(last_seen, excluded.last_seen),
        arrived_in = iif(answer_id = ?5, arrived_in, excluded.arrived_in),
        returned = iif(answer_id = ?5, returned, 1),
        disposition = iif(disposition = 'removed' OR answer_id <> ?5 AND disposition = 'noticed',
            'open', disposition)
    WHERE sightings.answer_id <> excluded.answer_id
"""
# The same answer, parsed again: times and decisions stay as they are.
_AMEND = """
    ON CONFLICT (picture_id, key) DO UPDATE SET
        url = excluded.url, kind = excluded.kind, domain = excluded.domain, pages = excluded.pages
"""


class MatchEntry:
    """Writes the table of matches (`sightings`)."""

    def __init__(
        self, connection: sqlite3.Connection, realm_id: int, *, record_events: bool = False
    ) -> None:
        """Enter matches in a realm; `record_events` keeps events for alerts."""
        self._connection = connection
        self._realm_id = realm_id
        self._records_events = record_events

    def record(
        self, picture_id: int, answer: Answer, answer_id: int, run_id: str, before: int | None
    ) -> None:
        """Enter the matches of an answer, before it becomes the picture's newest one.

        `before` is the id of the newest one until now, if there is one. An answer with trouble may
        be incomplete, so no match is gone because of it.
        """
        at = answer.received_at
        if self._records_events and answer.matches:
            self._note(picture_id, answer, before, run_id)
        # In the table's order, to touch each page once.
        shown = sorted(keyed(answer).items(), key=itemgetter(0))
        first = bool(shown) and before is None and not self._has_matches(picture_id)
        insert = _INSERT_FIRST if first else _INSERT
        then = "" if first else _AMEND if before == answer_id else _UPDATE
        for start in range(0, len(shown), MATCHES_A_STATEMENT):
            some = shown[start : start + MATCHES_A_STATEMENT]
            values: list[object] = [picture_id, answer_id, at, run_id, before]
            for key, match in some:
                pages = encoded_pages(match.pages)
                values += (key, match.url, match.kind.value, match.domain, pages)
            rows = ",".join(["(?1, ?, ?, ?, ?, ?, ?2, ?3, ?3, ?4, 0)"] * len(some))
            self._connection.execute(f"{insert} {rows} {then}", values)
        if answer.trouble is not None and before is not None:
            self._connection.execute(
                "UPDATE sightings SET answer_id = ? WHERE picture_id = ? AND answer_id = ?",
                (answer_id, picture_id, before),
            )

    def _has_matches(self, picture_id: int) -> bool:
        row = self._connection.execute(
            "SELECT 1 FROM sightings WHERE picture_id = ? LIMIT 1", (picture_id,)
        ).fetchone()
        return row is not None

    def _note(self, picture_id: int, answer: Answer, before: int | None, run_id: str) -> None:
        """Record the events of an answer, for alerts."""
        rows = self._connection.execute(
            "SELECT key, kind, answer_id FROM sightings WHERE picture_id = ?", (picture_id,)
        )
        sightings = {key: (kind, answer_id) for key, kind, answer_id in rows}
        events: dict[str, MatchEvent] = {}
        for key, match in keyed(answer).items():
            kind, answer_id = sightings.get(key, ("", None))
            if answer_id is None:
                events.setdefault(key, MatchEvent.NEW)
            elif answer_id != before:
                events.setdefault(key, MatchEvent.RETURNED)
            elif kind == MatchKind.PARTIAL and match.kind is MatchKind.FULL:
                events.setdefault(key, MatchEvent.FULL)
        self._connection.executemany(
            "INSERT INTO events (realm_id, run_id, picture_id, key, event, first)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                (self._realm_id, run_id, picture_id, key, event.value, before is None)
                for key, event in events.items()
            ),
        )
