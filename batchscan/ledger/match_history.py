"""The history of matches: when an answer first showed each, whether it still does, what became of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import msgspec
from msgspec.structs import replace

from batchscan.enums import Disposition, MatchEvent, MatchKind, MatchState
from batchscan.model import Answer, Match
from batchscan.util.paths import join_path
from batchscan.util.urls import normalize_url

MATCHES_A_STATEMENT = 16  # each statement costs the other threads a turn
_WORST = (MatchKind.FULL, MatchKind.PARTIAL, MatchKind.OTHER)
MAX_PATHS = 1_000  # of one content that rules about paths look at

# Says of a match's URL, the picture's SHA-256 and the picture's paths whether a rule allows it.
Allows: TypeAlias = Callable[[str, str, Sequence[bytes]], bool]

# For queries that join `sightings m` with `pictures p`.
PRESENT = "m.answer_id = p.answer_id"
STATE = (
    f"CASE WHEN NOT {PRESENT} THEN 'gone' WHEN m.arrived_in NOT IN (SELECT run_id FROM news_runs) THEN 'known'"
    " WHEN m.returned THEN 'returned' ELSE 'new' END"
)
_COLUMNS = (
    f"m.key, m.url, m.kind, m.domain, m.pages, {STATE}, m.first_seen, m.last_seen, m.disposition,"
    " lower(hex(p.sha256))"
)
_OF_PICTURE = "FROM sightings m JOIN pictures p ON p.id = m.picture_id WHERE m.picture_id = ?"
# What the columns' words stand for: looked up for each match, so not by a call of the enumeration.
_KINDS = {word.value: word for word in MatchKind}
_STATES = {word.value: word for word in MatchState}
_DISPOSITIONS = {word.value: word for word in Disposition}
# Where the clock steps back, what was seen last stays so. A copy that comes back is another
# case than the one that was closed, and one that is shown after it was removed is not: whoever
# wrote to its site has to look again.
_INSERT = (
    "INSERT INTO sightings (picture_id, key, url, kind, domain, pages, answer_id, first_seen,"
    " last_seen, arrived_in, returned) VALUES"
)
_UPDATE = """
    ON CONFLICT (picture_id, key) DO UPDATE SET
        url = excluded.url, kind = excluded.kind, domain = excluded.domain, pages = excluded.pages,
        answer_id = excluded.answer_id, last_seen = max(last_seen, excluded.last_seen),
        arrived_in = iif(answer_id = ?, arrived_in, excluded.arrived_in),
        returned = iif(answer_id = ?, returned, 1),
        disposition = iif(disposition = 'removed' OR answer_id <> ? AND disposition = 'noticed',
            'open', disposition)
    WHERE sightings.answer_id <> excluded.answer_id
"""
# The same answer, read anew: when it was seen and what was decided since stay as they are.
_AMEND = """
    ON CONFLICT (picture_id, key) DO UPDATE SET
        url = excluded.url, kind = excluded.kind, domain = excluded.domain, pages = excluded.pages
"""


class TrackedMatch(NamedTuple):
    """A match as its history has it, seen from the runs that are reported."""

    key: str  # the normalised URL
    match: Match


class _Row(NamedTuple):
    key: str
    url: str
    kind: str
    domain: str
    pages: bytes | None
    state: str
    first_seen: float
    last_seen: float
    disposition: str
    sha256: str


class PresentMatch(NamedTuple):
    """A match that is there, and its picture."""

    url: str
    sha256: str
    paths: tuple[bytes, ...]


class MatchHistory:
    """The table of sightings."""

    def __init__(self, connection: sqlite3.Connection, realm_id: int) -> None:
        self._connection = connection
        self._realm_id = realm_id
        self._allows: Allows | None = None
        self._notes_events = False
        self.looker: object | None = None  # the view that set what is new and allowed

    def set_news_scope(
        self, runs: Iterable[str], allows: Allows | None = None, looker: object | None = None
    ) -> None:
        """Look from these runs: what arrived in them is new; `allows` says what is allowed."""
        self.looker = looker
        self._connection.execute("DELETE FROM news_runs")
        self._connection.executemany(
            "INSERT OR IGNORE INTO news_runs VALUES (?)", ((run_id,) for run_id in runs)
        )
        self._allows = allows

    def told(self) -> list[str]:
        """The runs that are reported, of those in which any match arrived."""
        rows = self._connection.execute(
            "SELECT run_id FROM news_runs WHERE run_id IN (SELECT run_id FROM arrivals)"
            " ORDER BY run_id"
        )
        return [row[0] for row in rows]

    def record_events(self) -> None:
        """Keep what alerts will say of the answers that come."""
        self._notes_events = True

    def record(self, picture_id: int, answer: Answer, answer_id: int, run_id: str) -> None:
        """Enter what an answer shows; before it becomes the picture's newest, or read anew.

        One with trouble may not show all there is, so what was there before it stays.
        """
        row = self._connection.execute(
            "SELECT answer_id FROM pictures WHERE id = ?", (picture_id,)
        ).fetchone()
        before, at = row[0], answer.received_at
        if self._notes_events and answer.matches:
            self._note(picture_id, answer, before, run_id)
        shown = sorted(by_key(answer.matches).items())  # in the table's order, page after page
        for start in range(0, len(shown), MATCHES_A_STATEMENT):
            some = shown[start : start + MATCHES_A_STATEMENT]
            values: list[object] = []
            for key, match in some:
                pages = _encoded(match.pages)
                values += (picture_id, key, match.url, match.kind.value)
                values += (match.domain, pages, answer_id, at, at, run_id, 0)
            rows = ",".join(["(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"] * len(some))
            if before == answer_id:
                self._connection.execute(f"{_INSERT} {rows} {_AMEND}", values)
                continue
            values += (before, before, before)
            self._connection.execute(f"{_INSERT} {rows} {_UPDATE}", values)
        if answer.trouble is not None and before is not None:
            self._connection.execute(
                "UPDATE sightings SET answer_id = ? WHERE picture_id = ? AND answer_id = ?",
                (answer_id, picture_id, before),
            )

    def matches_of(self, picture_id: int, path: bytes | None = None) -> tuple[TrackedMatch, ...]:
        """Every match that a picture ever had; `path` is one that the ledger need not know yet."""
        return tuple(self.each_match_of(picture_id, path))

    def each_match_of(self, picture_id: int, path: bytes | None = None) -> Iterator[TrackedMatch]:
        """The same, one by one: a picture may have a hundred thousand."""
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} {_OF_PICTURE} ORDER BY NOT {PRESENT}, m.kind <> 'full', m.key",
            (picture_id,),
        )
        paths = self.paths_of(picture_id) if self._allows else ()
        paths = (path, *paths) if path else paths
        for row in rows:
            yield self._sighting(row, paths)

    def placed_first(self, picture_id: int, matches: Sequence[Match]) -> tuple[Match, ...]:
        """The matches of a picture's first answer with their history: all came with it."""
        row = self._connection.execute(
            f"SELECT {_COLUMNS} {_OF_PICTURE} LIMIT 1", (picture_id,)
        ).fetchone()
        if row is None:
            return tuple(matches)
        one = _Row._make(row)
        allows, paths = self._allows, self.paths_of(picture_id) if self._allows else ()
        return tuple(
            Match(
                match.url,
                match.kind,
                match.pages,
                match.domain,
                _STATES[one.state],
                one.first_seen,
                one.last_seen,
                Disposition.ALLOWED
                if allows and allows(match.url, one.sha256, paths)
                else _DISPOSITIONS[one.disposition],
            )
            for match in matches
        )

    def paths_of(self, picture_id: int) -> tuple[bytes, ...]:
        """Where a picture's content is known to be, or to have been."""
        rows = self._connection.execute(
            "SELECT d.path, f.name FROM files f JOIN folders d ON d.id = f.folder_id"
            " WHERE f.picture_id = ? LIMIT ?",
            (picture_id, MAX_PATHS),
        )
        paths = tuple(join_path(folder, name) for folder, name in rows)
        return paths or tuple(
            row[0]
            for row in self._connection.execute(
                "SELECT path FROM claims WHERE picture_id = ? ORDER BY generation DESC LIMIT 1",
                (picture_id,),
            )
        )

    def present_matches(self) -> Iterator[PresentMatch]:
        """Every match of this realm that is there."""
        rows = self._connection.execute(
            "SELECT m.url, lower(hex(p.sha256)), p.id FROM sightings m"
            f" JOIN pictures p ON p.id = m.picture_id AND {PRESENT} WHERE p.realm_id = ?"
            " ORDER BY p.id",
            (self._realm_id,),
        )
        paths: tuple[bytes, ...] = ()
        last = None
        for url, sha256, picture_id in rows:
            if picture_id != last:
                paths, last = self.paths_of(picture_id), picture_id
            yield PresentMatch(url, sha256, paths)

    def _note(self, picture_id: int, answer: Answer, before: int | None, run_id: str) -> None:
        """Keep what is new in an answer, for alerts."""
        rows = self._connection.execute(
            "SELECT key, kind, answer_id FROM sightings WHERE picture_id = ?", (picture_id,)
        )
        known = {key: (kind, answer_id) for key, kind, answer_id in rows}
        events: dict[str, MatchEvent] = {}
        for key, match in by_key(answer.matches).items():
            kind, answer_id = known.get(key, ("", None))
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

    def _sighting(self, row: tuple[Any, ...], paths: tuple[bytes, ...]) -> TrackedMatch:
        key, url, kind, domain, pages, state, first_seen, last_seen, disposition, sha256 = row
        allowed = self._allows is not None and self._allows(url, sha256, paths)
        match = Match(
            url,
            _KINDS[kind],
            decoded_pages(pages),
            domain,
            _STATES[state],
            first_seen,
            last_seen,
            Disposition.ALLOWED if allowed else _DISPOSITIONS[disposition],
        )
        return TrackedMatch(key, match)


def by_key(matches: Iterable[Match]) -> dict[str, Match]:
    """Matches by their normalised URL; two ways to write one are its worst kind, with all pages."""
    found: dict[str, Match] = {}
    for match in matches:
        key = normalize_url(match.url)
        known = found.get(key)
        if known is not None:
            worst = min(known, match, key=lambda each: _WORST.index(each.kind))
            pages = tuple(dict.fromkeys((*known.pages, *match.pages)))
            match = replace(worst, pages=pages)  # noqa: PLW2901 - the same match
        found[key] = match
    return found


def _encoded(pages: tuple[str, ...]) -> bytes | None:
    return msgspec.json.encode(pages) if pages else None


_PAGES = msgspec.json.Decoder(tuple[str, ...])


def decoded_pages(pages: bytes | None) -> tuple[str, ...]:
    """The pages of a sighting."""
    return _PAGES.decode(pages) if pages else ()
