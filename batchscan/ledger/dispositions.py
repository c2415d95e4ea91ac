"""Entering what people decide about matches, and undoing it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from batchscan.enums import Disposition
from batchscan.ledger.decision_types import (
    Batch,
    Choice,
    Decision,
    MarkResult,
    SeenMatch,
    SeenResult,
)
from batchscan.ledger.match_history import MatchHistory
from batchscan.ledger.match_rows import FIRST_MATCH, MatchKey

MATCHES_A_PIECE = 1_000  # read in one transaction
SECONDS_A_PIECE = 0.1  # at most for one transaction: other writers wait for it

_ORDER = "ORDER BY m.picture_id, m.key LIMIT ?"
_AFTER = "p.realm_id = ? AND (m.picture_id, m.key) > (?, ?)"
_MATCHES = (
    "SELECT m.picture_id, m.key, m.url, m.disposition, m.answer_id = p.answer_id,"
    " lower(hex(p.sha256)) FROM sightings m"
    " CROSS JOIN pictures p ON p.id = m.picture_id WHERE"
)


class _Chosen(NamedTuple):
    """A match of a choice, in its current state."""

    place: MatchKey
    url: str
    before: Disposition
    is_present: bool
    sha256: str  # of the picture


class Dispositions:
    """The dispositions of matches (table `sightings`) and the tables of decisions."""

    def __init__(
        self, connection: sqlite3.Connection, realm_id: int, history: MatchHistory
    ) -> None:
        self._connection = connection
        self._realm_id = realm_id
        self._history = history

    def mark(
        self, choice: Choice, decision: Decision, marked: MarkResult, *, dry_run: bool = False
    ) -> None:
        """Mark the next matches of a choice; to be called until `marked.reached` is None.

        A call is bounded in number and time, so that a scan need not wait long to write. It must
        be a writing transaction of its own.

        Args:
            choice: which matches.
            decision: what they become.
            marked: the results of the calls before; is updated.
            dry_run: whether to count only.
        """
        until = 0.0
        for match in self._of(choice, marked):
            place, before = match.place, match.before
            until = until or time.monotonic() + SECONDS_A_PIECE  # starts with the first match
            if before == decision.disposition:
                continue
            if reason := self._not_meant(match, choice):
                marked.excluded[reason] += 1
                continue
            if not decision.replaces(before):
                marked.needs_force[before] += 1
                continue
            marked.add(place.picture_id, before)
            if dry_run:
                continue
            if marked.batch is None:
                marked.batch = self._begin(decision)
            self._decide(marked.batch, place, before, decision.disposition, decision.at)
            if time.monotonic() > until:
                marked.reached = place
                return

    def _not_meant(self, match: _Chosen, choice: Choice) -> str | None:
        """Why a match of a choice is not marked; None if it is."""
        if choice.only not in (None, match.before):
            return match.before.value
        if choice.only_present and not match.is_present:
            return "gone"
        if choice.is_gone is not None and choice.is_gone(match.place):
            return "gone"
        if choice.allows is None:
            return None
        paths = self._history.paths_of(match.place.picture_id)
        return "allowed" if choice.allows(match.url, match.sha256, paths) else None

    def mark_seen(self, seen: Sequence[SeenMatch], decision: Decision) -> SeenResult:
        """Mark single matches as a user saw them.

        The disposition that the user saw is overwritten, a later one is not. This must be a
        writing transaction of its own.

        Args:
            seen: at most `MATCHES_A_PIECE`, each once.
            decision: what they become; its note is also added to those that are so already.
        """
        result = SeenResult()
        after = decision.disposition
        for place, state in seen:
            before = self._disposition_of(place)
            if before is None:
                result.unknown += 1
                continue
            if before not in (state, after):
                result.conflicts[place] = before
                continue
            if before == after and not decision.note:
                continue
            result.batch = result.batch or self._begin(decision)
            self._decide(result.batch, place, before, after, decision.at)
            if before == after:
                result.noted += 1
            else:
                result.changed[place] = before
        return result

    def _disposition_of(self, place: MatchKey) -> Disposition | None:
        """The disposition of a match; None if it is not in the ledger."""
        row = self._connection.execute(
            f"{_MATCHES} p.realm_id = ? AND m.picture_id = ? AND m.key = ?",
            (self._realm_id, *place),
        ).fetchone()
        return None if row is None else Disposition(row[3])

    def last(self) -> Batch | None:
        """The last batch that was neither undone nor an undo."""
        return self._batch("1", ())

    def effective(self, number: int) -> Batch | None:
        """A batch by its id; None if it was undone or is an undo."""
        return self._batch("b.id = ?", (number,))

    def _batch(self, which: str, values: tuple[int, ...]) -> Batch | None:
        row = self._connection.execute(
            "SELECT b.id, b.at, b.who, b.disposition, b.about, b.note FROM decisions b"
            f" WHERE b.realm_id = ? AND {which} AND b.undoes IS NULL AND NOT EXISTS"
            " (SELECT 1 FROM decisions u WHERE u.undoes = b.id AND u.complete)"
            " ORDER BY b.id DESC LIMIT 1",
            (self._realm_id, *values),
        ).fetchone()
        if row is None:
            return None
        number, at, who, word, about, note = row
        return Batch(number, at, who, Disposition(word), about, note)

    def undo(self, batch: Batch, decision: Decision, marked: MarkResult) -> None:
        """Undo decisions that no later one has replaced; to be called until all are reached.

        Works in pieces like `mark`; after a kill, calling it again continues.
        """
        until = time.monotonic() + SECONDS_A_PIECE
        if marked.batch is None:
            marked.batch = self._begin(decision, undoes=batch.number)
        rows = self._connection.execute(
            "SELECT d.picture_id, d.key, d.before, m.disposition FROM decided d"
            " JOIN sightings m ON m.picture_id = d.picture_id AND m.key = d.key"
            " WHERE d.decision_id = ? AND (d.picture_id, d.key) > (?, ?)"
            " ORDER BY d.picture_id, d.key LIMIT ?",
            (batch.number, *(marked.reached or FIRST_MATCH), MATCHES_A_PIECE),
        ).fetchall()
        for picture_id, key, before, current in rows:
            place = MatchKey(picture_id, key)
            if current == batch.disposition:
                marked.add(picture_id, Disposition(before))
                self._decide(
                    marked.batch, place, Disposition(current), Disposition(before), decision.at
                )
            elif current != before:
                marked.needs_force[Disposition(current)] += 1
            marked.reached = place
            if time.monotonic() > until:
                return
        if len(rows) < MATCHES_A_PIECE:
            marked.reached = None
            self._connection.execute(
                "UPDATE decisions SET complete = 1 WHERE id = ?", (marked.batch,)
            )

    def _begin(self, decision: Decision, *, undoes: int | None = None) -> int:
        row = self._connection.execute(
            "INSERT INTO decisions (realm_id, at, who, disposition, about, note, undoes, complete)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
            (
                self._realm_id,
                decision.at,
                decision.who,
                decision.disposition.value,
                decision.about,
                decision.note,
                undoes,
                undoes is None,
            ),
        ).fetchone()
        return int(row[0])

    def _decide(
        self, batch: int, place: MatchKey, before: Disposition, after: Disposition, at: float
    ) -> None:
        self._connection.execute(
            "INSERT OR IGNORE INTO decided (decision_id, picture_id, key, before, after)"
            " VALUES (?, ?, ?, ?, ?)",
            (batch, *place, before.value, after.value),
        )
        self._connection.execute(
            "UPDATE sightings SET disposition = ?, marked_at = ? WHERE picture_id = ? AND key = ?",
            (after.value, at, *place),
        )

    def any_of(self, choice: Choice) -> bool:
        """Whether a choice selects any match."""
        result = MarkResult()
        while result.reached is not None:
            if next(self._of(choice, result), None) is not None:
                return True
        return False

    def _of(self, choice: Choice, marked: MarkResult) -> Iterator[_Chosen]:
        """The selected ones of the next matches; updates `marked.reached` at the end."""
        rows = self._next(choice.domain, marked.reached or FIRST_MATCH)
        last, chosen = 0, True
        for picture_id, key, url, before, present, sha256 in rows:
            if choice.pictures is not None and picture_id != last:
                chosen, last = choice.pictures(self._history.paths_of(picture_id)), picture_id
            if chosen and choice.chosen(url):
                place = MatchKey(picture_id, key)
                yield _Chosen(place, url, Disposition(before), bool(present), sha256)
        full = len(rows) == MATCHES_A_PIECE
        marked.reached = MatchKey(*rows[-1][:2]) if full else None

    def _next(
        self, domain: str | None, after: MatchKey
    ) -> list[tuple[int, str, str, str, int, str]]:
        values: list[object] = [self._realm_id, *after, MATCHES_A_PIECE]
        query = f"{_MATCHES} {_AFTER} {_ORDER}"
        if domain is not None:  # has an index
            values.insert(0, domain)
            query = f"{_MATCHES} m.domain = ? AND {_AFTER} {_ORDER}"
        return self._connection.execute(query, values).fetchall()

    def domains(self) -> list[str]:
        """The registrable domains of all matches, to suggest one for a mistyped name."""
        rows = self._connection.execute(
            "SELECT DISTINCT m.domain FROM sightings m JOIN pictures p ON p.id = m.picture_id"
            " WHERE p.realm_id = ? ORDER BY 1",
            (self._realm_id,),
        )
        return [row[0] for row in rows]
