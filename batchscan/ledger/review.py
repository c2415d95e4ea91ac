"""Queries of the review page: filtering, counting and paging matches."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from batchscan.enums import Disposition, MatchKind, MatchState
from batchscan.ledger.allowed_matches import AllowedMatches
from batchscan.ledger.match_history import PRESENT, STATE, MatchHistory
from batchscan.ledger.match_rows import MatchKey
from batchscan.ledger.review_details import ReviewDetails

ANY = "any"
PRESENT_STATE = "present"  # every state but gone

_ALLOWED = "(a2.picture_id IS NOT NULL)"
_IN_FOLDER = (
    "EXISTS (SELECT 1 FROM files f JOIN folders d ON d.id = f.folder_id WHERE f.picture_id = p.id"
    " AND (d.path = :folder OR d.path >= :below AND d.path < :behind))"
)
_HAS_TEXT = (
    "(instr(lower(m.url), :text) OR instr(lower(CAST(m.pages AS TEXT)), :text) OR EXISTS"
    " (SELECT 1 FROM files f JOIN folders d ON d.id = f.folder_id WHERE f.picture_id = p.id"
    " AND instr(lower(CAST(d.path || x'2f' || f.name AS TEXT)), :text)))"
)
# The conditions of a filter; `_MEANT` is the part that depends on decisions.
_SCOPE = (
    "p.realm_id = :realm AND (:site IS NULL OR m.domain = :site)"
    " AND (:kind IS NULL OR m.kind = :kind) AND (:since IS NULL OR m.first_seen >= :since)"
    f" AND (:state = 'any' OR :state = 'present' AND {PRESENT}"
    f" OR :state NOT IN ('any', 'present') AND {STATE} = :state)"
    f" AND (:allowed IS NULL OR :allowed = {_ALLOWED})"
    f" AND (:folder IS NULL OR {_IN_FOLDER}) AND (:text IS NULL OR {_HAS_TEXT})"
)
_MEANT = "(:disposition IS NULL OR m.disposition = :disposition)"
_ALLOWANCE = "LEFT JOIN allowed_matches a2 ON a2.picture_id = m.picture_id AND a2.key = m.key"
# In the order of pictures, which both tables have: four times as fast as starting with matches.
_ALL = f"FROM pictures p CROSS JOIN sightings m ON m.picture_id = p.id {_ALLOWANCE} WHERE {_SCOPE}"
_ONE_BY_ONE = (
    "SELECT m.picture_id, m.key, m.url, m.kind, m.domain, m.disposition,"
    f" {STATE}, {_ALLOWED} FROM sightings m CROSS JOIN pictures p ON p.id = m.picture_id"
    f" {_ALLOWANCE} WHERE {_SCOPE} AND {_MEANT}"
)


@dataclass(frozen=True, slots=True)
class ReviewFilter:
    """A filter for matches; None for no condition."""

    disposition: str | None = Disposition.OPEN.value  # also `any` and `allowed`
    site: str | None = None  # the registrable domain
    folder: bytes | None = None  # with a file of the picture in or below it
    kind: str | None = None
    state: str = PRESENT_STATE  # of `MatchState`, or `any`
    since: float | None = None  # first seen then or later, seconds since 1970
    text: str | None = None  # in addresses, pages or paths

    def values(self, realm_id: int) -> dict[str, object]:
        """The parameters of the queries."""
        folder = None if self.folder is None else (self.folder.rstrip(b"/") or b"/")
        below = folder if folder in (None, b"/") else folder + b"/"
        allowed = {ANY: None, Disposition.ALLOWED.value: 1}.get(self.disposition or ANY, 0)
        fixed = self.disposition not in (None, ANY, Disposition.ALLOWED.value)
        return {
            "realm": realm_id,
            "site": self.site,
            "kind": self.kind,
            "since": self.since,
            "state": self.state,
            "allowed": allowed,
            "folder": folder,
            "below": below,
            "behind": None if below is None else below[:-1] + b"0",  # the byte after a slash
            "text": self.text.lower() if self.text else None,
            "disposition": self.disposition if fixed else None,
        }


class QueuedMatch(NamedTuple):
    """A match in a list."""

    place: MatchKey
    url: str
    kind: MatchKind
    domain: str
    disposition: Disposition
    state: MatchState
    allowed: bool


class SiteCount(NamedTuple):
    """How many matches of a site pass a filter but for its disposition (`total`), and with it."""

    domain: str
    total: int
    meant: int


class PictureCount(NamedTuple):
    """The same for a picture."""

    picture_id: int
    total: int
    meant: int


class ReviewQueue:
    """Reads matches for review; the table of allowed matches must be filled before."""

    def __init__(
        self, connection: sqlite3.Connection, realm_id: int, history: MatchHistory
    ) -> None:
        self._connection = connection
        self._realm_id = realm_id
        self._history = history
        self.allowed = AllowedMatches(connection, realm_id, history)
        self.details = ReviewDetails(connection, realm_id)

    def data_version(self) -> int:
        """A number that changes when another connection changes the ledger."""
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def newest_answer(self) -> int:
        """The id of the newest answer; while it is the same, so are the matches."""
        row = self._connection.execute("SELECT coalesce(max(id), 0) FROM answers").fetchone()
        return int(row[0])

    def _ask(self, query: str, values: Mapping[str, object]) -> sqlite3.Cursor:
        """Query matches with the default perspective."""
        self._history.look_from(self._history.own)
        return self._connection.execute(query, values)

    def sites(self, chosen: ReviewFilter) -> list[SiteCount]:
        """Counts by site, the one with the most matches first."""
        rows = self._ask(
            f"SELECT m.domain, count(*) AS total, sum({_MEANT}) {_ALL} GROUP BY m.domain"
            " ORDER BY total DESC, m.domain",
            chosen.values(self._realm_id),
        )
        return [SiteCount(*row) for row in rows]

    def pictures(self, chosen: ReviewFilter, limit: int) -> list[PictureCount]:
        """Counts by picture, the one with the most matches first."""
        rows = self._ask(
            f"SELECT p.id, count(*), sum({_MEANT}) AS meant {_ALL} GROUP BY p.id"
            " ORDER BY meant DESC, count(*) DESC, p.id LIMIT :most",
            {**chosen.values(self._realm_id), "most": limit},
        )
        return [PictureCount(*row) for row in rows]

    def of_site(
        self, chosen: ReviewFilter, domain: str, after: MatchKey, limit: int
    ) -> list[QueuedMatch]:
        """The next matches of one site, in the order of pictures."""
        query = (
            f"{_ONE_BY_ONE} AND m.domain = :domain AND (m.picture_id, m.key) > (:number, :key)"
            " ORDER BY m.picture_id, m.key LIMIT :most"
        )
        return self._matches(self._ask(query, self._at(chosen, after, limit, domain)))

    def of_site_before(
        self, chosen: ReviewFilter, domain: str, before: MatchKey, limit: int
    ) -> list[QueuedMatch]:
        """The matches of one site before a place, the nearest first."""
        query = (
            f"{_ONE_BY_ONE} AND m.domain = :domain AND (m.picture_id, m.key) < (:number, :key)"
            " ORDER BY m.picture_id DESC, m.key DESC LIMIT :most"
        )
        values = self._at(chosen, before, limit, domain)
        return self._matches(self._ask(query, values))

    def of_pictures(self, chosen: ReviewFilter, after: MatchKey, limit: int) -> list[QueuedMatch]:
        """The next matches of all sites, picture by picture."""
        query = (
            f"{_ONE_BY_ONE} AND (m.picture_id, m.key) > (:number, :key)"
            " ORDER BY m.picture_id, m.key LIMIT :most"
        )
        return self._matches(self._ask(query, self._at(chosen, after, limit)))

    def of_pictures_before(
        self, chosen: ReviewFilter, before: MatchKey, limit: int
    ) -> list[QueuedMatch]:
        """The matches of all sites before a place, the nearest first."""
        query = (
            f"{_ONE_BY_ONE} AND (m.picture_id, m.key) < (:number, :key)"
            " ORDER BY m.picture_id DESC, m.key DESC LIMIT :most"
        )
        return self._matches(self._ask(query, self._at(chosen, before, limit)))

    def at(self, place: MatchKey) -> QueuedMatch | None:
        """One match with any disposition; None without one."""
        everything = ReviewFilter(disposition=ANY, state=ANY)
        query = f"{_ONE_BY_ONE} AND m.picture_id = :number AND m.key = :key"
        rows = self._ask(query, self._at(everything, place, 1))
        return next(iter(self._matches(rows)), None)

    def keys_of(self, picture_id: int) -> Iterator[str]:
        """The normalized URLs of all matches that a picture of this realm ever had."""
        rows = self._connection.execute(
            "SELECT m.key FROM sightings m JOIN pictures p ON p.id = m.picture_id"
            " WHERE m.picture_id = ? AND p.realm_id = ?",
            (picture_id, self._realm_id),
        )
        return (row[0] for row in rows)

    def dispositions_of(self, domain: str) -> Mapping[str, int]:
        """How many matches of a site have each disposition; also counts `gone` and `allowed`."""
        rows = self._connection.execute(
            f"SELECT CASE WHEN NOT ({PRESENT}) THEN 'gone' WHEN {_ALLOWED} THEN 'allowed'"
            " ELSE m.disposition END, count(*) FROM sightings m CROSS JOIN pictures p"
            f" ON p.id = m.picture_id {_ALLOWANCE} WHERE m.domain = ? AND p.realm_id = ?"
            " GROUP BY 1",
            (domain, self._realm_id),
        )
        return dict(rows.fetchall())

    def _at(
        self, chosen: ReviewFilter, place: MatchKey, limit: int, domain: str | None = None
    ) -> dict[str, object]:
        return {
            **chosen.values(self._realm_id),
            "number": place.picture_id,
            "key": place.key,
            "most": limit,
            "domain": domain,
        }

    def _matches(self, rows: sqlite3.Cursor) -> list[QueuedMatch]:
        return [
            QueuedMatch(
                MatchKey(number, key),
                url,
                MatchKind(kind),
                domain,
                Disposition(word),
                MatchState(state),
                bool(allowed),
            )
            for number, key, url, kind, domain, word, state, allowed in rows
        ]
