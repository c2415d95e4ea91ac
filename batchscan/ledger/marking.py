"""What people decide about matches, entered into their history."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from batchscan.ledger.history import History
from batchscan.names import Disposition

MATCHES_A_PIECE = 1_000  # looked at in one transaction
SECONDS_A_PIECE = 0.1  # that it takes at most: others wait for it to write

_ORDER = "ORDER BY m.picture_id, m.key LIMIT ?"
_AFTER = "p.realm_id = ? AND (m.picture_id, m.key) > (?, ?)"
_MATCHES = (
    "SELECT m.picture_id, m.key, m.url, m.disposition FROM sightings m"
    " JOIN pictures p ON p.id = m.picture_id WHERE"
)


class Place(NamedTuple):
    """A match in the order in which matches are marked."""

    picture_id: int = 0
    key: str = ""


_START = Place()


@dataclass(slots=True)
class Marked:
    """Which matches were chosen, and what they were before."""

    before: Counter[Disposition] = field(default_factory=Counter)
    pictures: int = 0
    last_picture: int = 0
    reached: Place | None = _START  # the last match that was looked at; None after all of them

    @property
    def matches(self) -> int:
        """How many."""
        return self.before.total()

    def add(self, picture_id: int, before: Disposition) -> None:
        """Count a match; those of one picture come one after the other."""
        self.before[before] += 1
        self.pictures += picture_id != self.last_picture
        self.last_picture = picture_id


@dataclass(frozen=True, slots=True)
class Choice:
    """Which matches are meant."""

    domain: str | None  # the registrable domain that all of them have, where they have one
    chosen: Callable[[str], bool]  # says of a URL whether it is meant
    pictures: Callable[[Sequence[bytes]], bool] | None = None  # of a picture's paths; None for all


class Marking:
    """The dispositions in the table of sightings."""

    def __init__(self, connection: sqlite3.Connection, realm_id: int, history: History) -> None:
        self._connection = connection
        self._realm_id = realm_id
        self._history = history

    def mark(self, choice: Choice, disposition: Disposition, at: float, marked: Marked) -> None:
        """Give some matches a disposition, also those that are gone; call it until all are reached.

        A piece is bounded in number and time, so that a scan that wants to write meanwhile need
        not wait for long, and it must be the whole of a writing transaction.

        Args:
            choice: which matches.
            disposition: what they become.
            at: when, in seconds since 1970.
            marked: how far the pieces before came, and what was marked in them; is brought up to date.
        """
        until = time.monotonic() + SECONDS_A_PIECE
        for place, before in self._of(choice, marked):
            marked.add(place.picture_id, before)
            self._connection.execute(
                "UPDATE sightings SET disposition = ?, marked_at = ?"
                " WHERE picture_id = ? AND key = ?",
                (disposition.value, at, *place),
            )
            if time.monotonic() > until:
                marked.reached = place
                return

    def any_of(self, choice: Choice) -> bool:
        """Whether a choice means any match at all."""
        looked = Marked()
        while looked.reached is not None:
            if next(self._of(choice, looked), None) is not None:
                return True
        return False

    def _of(self, choice: Choice, marked: Marked) -> Iterator[tuple[Place, Disposition]]:
        """What is chosen of the next matches; moves on to the last of them at the end."""
        rows = self._next(choice.domain, marked.reached or _START)
        last, wanted = 0, True
        for picture_id, key, url, before in rows:
            if choice.pictures is not None and picture_id != last:
                wanted, last = choice.pictures(self._history.paths_of(picture_id)), picture_id
            if wanted and choice.chosen(url):
                yield Place(picture_id, key), Disposition(before)
        full = len(rows) == MATCHES_A_PIECE
        marked.reached = Place(*rows[-1][:2]) if full else None

    def _next(self, domain: str | None, after: Place) -> list[tuple[int, str, str, str]]:
        values: list[object] = [self._realm_id, *after, MATCHES_A_PIECE]
        query = f"{_MATCHES} {_AFTER} {_ORDER}"
        if domain is not None:  # by its index
            values.insert(0, domain)
            query = f"{_MATCHES} m.domain = ? AND {_AFTER} {_ORDER}"
        return self._connection.execute(query, values).fetchall()

    def domains(self) -> list[str]:
        """The registrable domains of all matches, for who names one that has none."""
        rows = self._connection.execute(
            "SELECT DISTINCT m.domain FROM sightings m JOIN pictures p ON p.id = m.picture_id"
            " WHERE p.realm_id = ? ORDER BY 1",
            (self._realm_id,),
        )
        return [row[0] for row in rows]
