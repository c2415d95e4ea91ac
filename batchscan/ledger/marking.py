"""What people decide about matches, entered into their history."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from batchscan.ledger.history import History
from batchscan.names import Disposition


@dataclass(slots=True)
class Marked:
    """Which matches were chosen, and what they were before."""

    before: Counter[Disposition] = field(default_factory=Counter)
    pictures: set[int] = field(default_factory=set)

    @property
    def matches(self) -> int:
        """How many."""
        return self.before.total()


class Marking:
    """The dispositions in the table of sightings."""

    def __init__(self, connection: sqlite3.Connection, realm_id: int, history: History) -> None:
        self._connection = connection
        self._realm_id = realm_id
        self._history = history

    def mark(
        self,
        disposition: Disposition,
        at: float,
        *,
        domain: str | None,
        chosen: Callable[[str], bool],
        pictures: Callable[[Sequence[bytes]], bool] | None = None,
    ) -> Marked:
        """Give matches a disposition, also those that are gone.

        Args:
            disposition: what they become.
            at: when, in seconds since 1970.
            domain: the registrable domain that all of them have, where they have one.
            chosen: says of a URL whether it is meant.
            pictures: says of a picture's paths whether it is; None for all.
        """
        rows = self._connection.execute(
            "SELECT m.picture_id, m.key, m.url, m.disposition FROM sightings m"
            " JOIN pictures p ON p.id = m.picture_id"
            " WHERE p.realm_id = ? AND (? IS NULL OR m.domain = ?) ORDER BY m.picture_id",
            (self._realm_id, domain, domain),
        ).fetchall()
        marked, last, wanted = Marked(), None, True
        for picture_id, key, url, before in rows:
            if pictures is not None and picture_id != last:
                wanted, last = pictures(self._history.paths_of(picture_id)), picture_id
            if not (wanted and chosen(url)):
                continue
            marked.before[Disposition(before)] += 1
            marked.pictures.add(picture_id)
            self._connection.execute(
                "UPDATE sightings SET disposition = ?, marked_at = ?"
                " WHERE picture_id = ? AND key = ?",
                (disposition.value, at, picture_id, key),
            )
        return marked

    def domains(self) -> list[str]:
        """The registrable domains of all matches, for who names one that has none."""
        rows = self._connection.execute(
            "SELECT DISTINCT m.domain FROM sightings m JOIN pictures p ON p.id = m.picture_id"
            " WHERE p.realm_id = ? ORDER BY 1",
            (self._realm_id,),
        )
        return [row[0] for row in rows]
