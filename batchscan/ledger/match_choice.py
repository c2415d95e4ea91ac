"""Selecting matches by disposition, site, picture or address."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from batchscan.enums import Disposition
from batchscan.ledger.match_history import PRESENT, MatchHistory
from batchscan.ledger.match_rows import MatchKey, decoded_pages


class ChosenMatch(NamedTuple):
    """A match that was chosen."""

    place: MatchKey
    url: str
    pages: tuple[str, ...]
    domain: str
    disposition: Disposition
    sha256: str  # of the picture


@dataclass(frozen=True, slots=True)
class MatchChoice:
    """Conditions that matches have to meet; None or empty for no condition."""

    dispositions: Collection[Disposition] = ()
    covers: Sequence[Callable[[str], bool]] = ()  # whether a URL is covered; one is enough
    pictures: Callable[[Sequence[bytes]], bool] | None = None  # by a picture's paths
    only_present: bool = True  # only those in the newest answer


class ChosenMatches:
    """Finds chosen matches in this realm."""

    def __init__(
        self, connection: sqlite3.Connection, realm_id: int, history: MatchHistory
    ) -> None:
        self._connection = connection
        self._realm_id = realm_id
        self._history = history

    def find(self, choice: MatchChoice) -> Iterator[ChosenMatch]:
        """The chosen matches in the order of pictures and addresses."""
        rows = self._connection.execute(
            "SELECT m.picture_id, m.key, m.url, m.pages, m.domain, m.disposition,"
            " lower(hex(p.sha256)) FROM pictures p JOIN sightings m ON m.picture_id = p.id"
            f" WHERE p.realm_id = ? AND ({PRESENT} OR NOT ?) ORDER BY m.picture_id, m.key",
            (self._realm_id, choice.only_present),
        )
        last, chosen = 0, True
        for picture_id, key, url, pages, domain, disposition, sha256 in rows:
            if choice.dispositions and disposition not in choice.dispositions:
                continue
            if choice.covers and not any(covers(url) for covers in choice.covers):
                continue
            if choice.pictures is not None and picture_id != last:
                chosen, last = choice.pictures(self._history.paths_of(picture_id)), picture_id
            if chosen:
                place = MatchKey(picture_id, key)
                current = Disposition(disposition)
                yield ChosenMatch(place, url, decoded_pages(pages), domain, current, sha256)

    def one(self, place: MatchKey) -> ChosenMatch | None:
        """A match by its place; None without one."""
        row = self._connection.execute(
            "SELECT m.url, m.pages, m.domain, m.disposition, lower(hex(p.sha256)) FROM sightings m"
            " JOIN pictures p ON p.id = m.picture_id WHERE m.picture_id = ? AND m.key = ?"
            " AND p.realm_id = ?",
            (*place, self._realm_id),
        ).fetchone()
        if row is None:
            return None
        url, pages, domain, disposition, sha256 = row
        return ChosenMatch(
            place, url, decoded_pages(pages), domain, Disposition(disposition), sha256
        )
