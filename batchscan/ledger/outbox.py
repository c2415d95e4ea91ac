"""The outbox of alerts: events until they are put into messages, messages until they are sent."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from batchscan.enums import Disposition, MatchEvent, MatchKind, MatchState
from batchscan.ledger.match_history import PRESENT, MatchHistory
from batchscan.ledger.match_rows import decoded_pages
from batchscan.model import TrackedMatch

# Full copies first, then in the order of their arrival.
_NEWS = (
    f"SELECT e.event, e.first, {PRESENT}, e.picture_id, lower(hex(p.sha256)), s.path, m.url,"
    " m.kind, m.pages, m.domain, m.first_seen, m.last_seen, m.disposition FROM events e"
    " JOIN sightings m ON m.picture_id = e.picture_id AND m.key = e.key"
    " JOIN pictures p ON p.id = e.picture_id LEFT JOIN seen_pictures s ON s.picture_id = e.picture_id"
    " WHERE e.realm_id = ? AND e.run_id = ? ORDER BY m.kind <> 'full', e.id"
)


_STATES = {
    MatchEvent.NEW: MatchState.NEW,
    MatchEvent.RETURNED: MatchState.RETURNED,
    MatchEvent.FULL: MatchState.KNOWN,
}


@dataclass(frozen=True, slots=True)
class MatchEventRecord:
    """An event, and its match in its current state."""

    event: MatchEvent
    first: bool  # whether it came with the picture's first answer
    there: bool  # whether the newest answer still contains the match
    match: TrackedMatch  # in the state of the event
    sha256: str  # of the picture
    paths: tuple[bytes, ...]  # of the picture; the one seen in this run comes first


class MessageDraft(NamedTuple):
    """The matches of one message, until the number of messages is known."""

    part: int  # from 1
    matches: bytes
    number: int  # of matches


@dataclass(frozen=True, slots=True)
class Message:
    """A message for one target; its body is the same for each attempt."""

    id: str
    target: str
    run_id: str
    body: bytes
    matches: int  # number of matches
    made_at: float  # seconds since 1970; strictly increasing


@dataclass(frozen=True, slots=True)
class PendingSummary:
    """The messages pending for a target."""

    target: str
    messages: int
    matches: int
    since: float  # when the oldest was made
    attempts: int  # of the message that was tried most often
    tried_at: float | None
    trouble: str | None  # of the last attempt


class _EventRow(NamedTuple):
    event: str
    first: int
    there: int
    picture_id: int
    sha256: str
    path: bytes | None
    url: str
    kind: str
    pages: bytes | None
    domain: str
    first_seen: float
    last_seen: float
    disposition: str


class Outbox:
    """The tables of events and messages."""

    def __init__(
        self, connection: sqlite3.Connection, realm_id: int, history: MatchHistory
    ) -> None:
        self._connection = connection
        self._realm_id = realm_id
        self._history = history

    def runs(self) -> list[str]:
        """The runs of this realm with events that are in no message yet, oldest first."""
        rows = self._connection.execute(
            "SELECT run_id FROM events WHERE realm_id = ? GROUP BY run_id ORDER BY min(id)",
            (self._realm_id,),
        )
        return [row[0] for row in rows]

    def events_of(self, run_id: str) -> Iterator[MatchEventRecord]:
        """The events of a run that are in no message yet, the worst first."""
        paths: tuple[bytes, ...] = ()
        last = None
        for row in map(_EventRow._make, self._connection.execute(_NEWS, (self._realm_id, run_id))):
            if row.picture_id != last:
                last, paths = row.picture_id, self._paths(row.picture_id, row.path)
            yield _news(row, paths)

    def clear_events(self) -> None:
        """Delete all events of this realm: they are in messages now, or no target is configured."""
        self._connection.execute("DELETE FROM events WHERE realm_id = ?", (self._realm_id,))

    def draft(self, draft: MessageDraft) -> None:
        """Store a message's matches temporarily: there may be more than fit into memory."""
        self._connection.execute("INSERT INTO message_drafts VALUES (?, ?, ?)", draft)

    def drafts(self) -> Iterator[MessageDraft]:
        """The drafts of messages that were not turned into messages yet, by part."""
        rows = self._connection.execute(
            "SELECT part, matches, number FROM message_drafts ORDER BY part"
        )
        return map(MessageDraft._make, rows)

    def clear_drafts(self) -> None:
        """Delete all drafts, as they are messages now."""
        self._connection.execute("DELETE FROM message_drafts")

    def newest(self) -> float:
        """The time of the newest message, seconds since 1970; 0 without one."""
        row = self._connection.execute("SELECT max(made_at) FROM messages").fetchone()
        return float(row[0] or 0.0)

    def put(self, message: Message) -> None:
        """Store a message until it is delivered; its time must be later than all others."""
        self._connection.execute(
            "INSERT OR IGNORE INTO messages (id, target, run_id, body, matches, made_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                message.id,
                message.target,
                message.run_id,
                message.body,
                message.matches,
                message.made_at,
            ),
        )

    def next_pending(self, target: str, after: float = 0.0) -> Message | None:
        """The oldest pending message for a target that was made after a time; None without one."""
        row = self._connection.execute(
            "SELECT id, target, run_id, body, matches, made_at FROM messages"
            " WHERE target = ? AND made_at > ? AND told_at IS NULL ORDER BY made_at LIMIT 1",
            (target, after),
        ).fetchone()
        return None if row is None else Message(*row)

    def mark_delivered(self, message_id: str, at: float) -> None:
        """Mark a message as delivered, and drop its body."""
        self._connection.execute(
            "UPDATE messages SET told_at = ?, tried_at = ?, attempts = attempts + 1,"
            " trouble = NULL, body = x'' WHERE id = ?",
            (at, at, message_id),
        )

    def mark_failed(self, message_id: str, at: float, trouble: str) -> None:
        """Record a failed attempt; the message stays pending."""
        self._connection.execute(
            "UPDATE messages SET tried_at = ?, attempts = attempts + 1, trouble = ? WHERE id = ?",
            (at, trouble, message_id),
        )

    def pending(self) -> list[PendingSummary]:
        """The pending messages by target."""
        rows = self._connection.execute(
            "SELECT target, count(*), sum(matches), min(made_at), max(attempts),"
            " (SELECT max(tried_at) FROM messages t WHERE t.target = m.target AND told_at IS NULL),"
            " (SELECT trouble FROM messages t WHERE t.target = m.target AND told_at IS NULL"
            " ORDER BY tried_at DESC LIMIT 1)"
            " FROM messages m WHERE told_at IS NULL GROUP BY target ORDER BY target"
        )
        return [PendingSummary(*row) for row in rows]

    def _paths(self, picture_id: int, seen: bytes | None) -> tuple[bytes, ...]:
        paths = self._history.paths_of(picture_id)
        return paths if seen is None else (seen, *(path for path in paths if path != seen))


def _news(row: _EventRow, paths: tuple[bytes, ...]) -> MatchEventRecord:
    event = MatchEvent(row.event)
    match = TrackedMatch(
        url=row.url,
        kind=MatchKind(row.kind),
        pages=decoded_pages(row.pages),
        domain=row.domain,
        state=_STATES[event],
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        disposition=Disposition(row.disposition),
    )
    return MatchEventRecord(
        event=event,
        first=bool(row.first),
        there=bool(row.there),
        match=match,
        sha256=row.sha256,
        paths=paths,
    )
