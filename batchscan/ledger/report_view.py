"""Views for reports: which pictures are covered, which matches are new, and which are allowed.

Views on the same connection do not influence each other.
"""

from __future__ import annotations

import os
import sqlite3
import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple, TypeAlias

import msgspec

from batchscan.ledger.facets import match_facets
from batchscan.ledger.match_history import PRESENT, MatchHistory
from batchscan.ledger.matched_pictures import MatchedPictures
from batchscan.ledger.perspective import Perspective
from batchscan.ledger.reporting import Reporting
from batchscan.ledger.versions import ASKED_PATH, COVERED_FILE
from batchscan.model import TrackedMatch
from batchscan.report_sections import AllowRule, MatchFacets, MatchSummary, PictureMatches

_PATH = (
    "coalesce((SELECT CAST(iif(d.path = x'2f', '', d.path) || '/' || f.name AS BLOB) FROM files f"
    " JOIN folders d ON d.id = f.folder_id WHERE f.picture_id = p.id"
    f" AND NOT EXISTS (SELECT 1 FROM covered v WHERE {COVERED_FILE})"
    " ORDER BY f.sha256 NOT NULL LIMIT 1),"
    " (SELECT c.path FROM claims c WHERE c.picture_id = p.id ORDER BY generation DESC LIMIT 1))"
)
_SEEN = (
    "INSERT INTO seen_pictures SELECT number, iif(by_version,"
    f" coalesce((SELECT {ASKED_PATH} FROM pictures p WHERE p.id = number), file), file),"
    " scanned, by_version FROM"
)
_AGAIN = (
    " WHERE true ON CONFLICT DO UPDATE SET fresh = max(fresh, excluded.fresh),"
    " path = iif(covered AND NOT excluded.covered, excluded.path, path),"
    " covered = covered AND excluded.covered"
)
_BY_VERSION = (
    "EXISTS (SELECT 1 FROM covered v JOIN files f ON f.folder_id = ?4 AND f.name = ?3"
    f" AND {COVERED_FILE} WHERE v.picture_id = ?1)"
)
_FRESH = "EXISTS (SELECT 1 FROM answers a WHERE a.picture_id = p.id AND a.run_id = ?)"


class ThisProcess(NamedTuple):
    """The pictures that this process has seen."""


class OfRun(NamedTuple):
    """The pictures that an earlier run saw."""

    run_id: str
    matched: bytes | None  # those with matches, packed; None for all that it decided


class Everything(NamedTuple):
    """All pictures of the realm that have or had a match."""


Scope: TypeAlias = ThisProcess | OfRun | Everything
Count: TypeAlias = Callable[[str, str, Sequence[bytes]], object]  # of a match's URL, hash and paths


class ReportPictures:
    """The pictures seen by this process, without unchanged ones that never had a match."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.version = 0  # counts changes
        self.shown_by: ReportView | None = None  # the view that filled `report_pictures`

    def add(self, picture_id: int, path: str, *, fresh: bool, covered: bool = False) -> None:
        """Add a picture.

        Args:
            picture_id: of the picture that was asked about.
            path: of a file.
            fresh: whether this run scanned it.
            covered: whether the file is only covered by its answer. The picture is shown by the
                path of a file that it is the answer about.
        """
        self.version += 1
        self._connection.execute(
            f"{_SEEN} (SELECT ?1 AS number, ?2 AS file, ?3 AS scanned, ?4 AS by_version){_AGAIN}",
            (picture_id, os.fsencode(path), fresh, covered),
        )

    def add_unchanged(self, folder_id: int, pictures: Sequence[tuple[int, bytes, bytes]]) -> None:
        """Add unchanged pictures that have or had matches: their ids, paths and file names."""
        if pictures:
            self.version += 1
            self._connection.executemany(
                f"{_SEEN} (SELECT ?1 AS number, ?2 AS file, 0 AS scanned, {_BY_VERSION}"
                f" AS by_version){_AGAIN}",
                ((*picture, folder_id) for picture in pictures),
            )


class ReportView:
    """Reads what a report shows, inside a transaction; made by `Ledger.view`."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        realm_id: int,
        history: MatchHistory,
        seen: ReportPictures,
        scope: Scope,
        perspective: Perspective,
    ) -> None:
        """Read the pictures of a scope."""
        self._connection = connection
        self._realm_id = realm_id
        self._history = history
        self._seen = seen
        self._scope = scope
        self._perspective = perspective
        self._filled_at: int | None = None  # version of the pictures seen
        self._allowed = False  # whether the table of allowed matches is filled
        self._summed_at: list[object] | None = None  # number of changes of the ledger

    def summary(self, count: Count, rules: Callable[[], tuple[AllowRule, ...]]) -> MatchSummary:
        """The summary of the pictures' matches; each pair of content and match URL counts once.

        Args:
            count: called with each present match, if there are allow rules.
            rules: called afterwards, for the rules with their counts.
        """
        self._fill()
        self._apply_allow_rules(count)
        self._sum_up()
        return Reporting(self._connection, self._realm_id).summary(rules())

    def pictures(
        self,
        wanted: Callable[[Sequence[bytes]], bool] | None = None,
        *,
        previews: bool = False,
        most: int | None = None,
        streamed: bool = False,
    ) -> Iterator[PictureMatches]:
        """The pictures that have or had a match, those with new ones first.

        Args:
            wanted: selects pictures by their paths; None for all.
            previews: whether to read thumbnails of the matches, too.
            most: at most this many matches of each, in the order of a page; None for all.
            streamed: whether to read matches lazily while they are iterated.
        """
        self._fill()
        self._prepare_sums(allowed=most is not None)
        pictures = MatchedPictures(
            self._connection,
            self._history,
            self._perspective,
            previews=previews,
            most=most,
            streamed=streamed,
        )
        yield from pictures.pictures(wanted)

    def facets(self) -> MatchFacets:
        """Counts for the filters of a report."""
        self._fill()
        self._prepare_sums(allowed=True)
        return match_facets(self._connection)

    def matches_of(self, picture_id: int) -> dict[str, TrackedMatch]:
        """A picture's matches by normalized URL, even if it is not in the scope."""
        return self._history.matches_of(picture_id, perspective=self._perspective)

    def reported_runs(self) -> list[str]:
        """The runs whose matches count as new, as far as they have any."""
        return self._history.with_arrivals(self._perspective.news_of)

    def with_matches(self) -> Iterator[tuple[int, bytes, int]]:
        """The pictures that have or had a match: id, path, whether this run scanned it."""
        self._fill()
        return self._connection.execute(
            "SELECT picture_id, path, fresh FROM report_pictures s WHERE EXISTS"
            " (SELECT 1 FROM sightings m WHERE m.picture_id = s.picture_id) ORDER BY picture_id"
        )

    def matched(self) -> bytes:
        """The pictures that have or had a match, packed to be stored with the run."""
        numbers = [row[0] for row in self.with_matches()]
        steps = [after - before for before, after in pairwise([0, *numbers])]
        return zlib.compress(msgspec.msgpack.encode(steps))

    def _fill(self) -> None:
        """Fill the temporary tables for this view, unless they are up to date."""
        self._history.look_from(self._perspective)
        if self._seen.shown_by is self and self._filled_at == self._seen.version:
            return
        self._seen.shown_by, self._summed_at = self, None
        self._connection.execute("DELETE FROM report_pictures")
        match self._scope:
            case ThisProcess():
                self._connection.execute(
                    "INSERT INTO report_pictures SELECT picture_id, path, fresh FROM seen_pictures"
                )
            case OfRun(run_id, None):
                self._fill_with_decided(run_id)
            case OfRun(run_id, matched):
                self._fill_with_kept(run_id, matched or b"")
            case Everything():
                self._connection.execute(
                    f"INSERT INTO report_pictures SELECT p.id, {_PATH}, 0 FROM pictures p"
                    " WHERE p.realm_id = ?"
                    " AND EXISTS (SELECT 1 FROM sightings m WHERE m.picture_id = p.id)",
                    (self._realm_id,),
                )
        self._filled_at, self._allowed = self._seen.version, False
        self._summed_at = None

    def _prepare_sums(self, *, allowed: bool) -> None:
        """Count the matches of each picture, unless that is up to date.

        Args:
            allowed: whether the counts of allowed matches, and of others, have to be right.
        """
        if allowed and not self._allowed:
            self._apply_allow_rules(lambda *_: None)
            self._summed_at = None
        if self._summed_at != self._changes():
            self._sum_up()

    def _sum_up(self) -> None:
        """Count the matches of each picture."""
        Reporting(self._connection, self._realm_id).sum_up()
        self._summed_at = self._changes()

    def _changes(self) -> list[object]:
        # Only compared: a damaged number is rebuilt by the next scan
        return self._connection.execute("SELECT number FROM changes").fetchall()

    def _apply_allow_rules(self, count: Count) -> None:
        """Fill the table of allowed matches; `count` is called for each present match."""
        self._allowed = True
        self._connection.execute("DELETE FROM allowed_matches")
        allows = self._perspective.allows
        if allows is None:
            return
        rows = self._connection.execute(
            f"SELECT m.picture_id, m.key, m.url, lower(hex(p.sha256)), {PRESENT}"
            " FROM report_pictures s CROSS JOIN sightings m USING (picture_id)"
            " JOIN pictures p ON p.id = m.picture_id"
        )
        paths: tuple[bytes, ...] = ()
        last = None
        for picture_id, key, url, sha256, present in rows:
            if picture_id != last:
                paths, last = self._history.paths_of(picture_id), picture_id
            if allows(url, sha256, paths):
                self._connection.execute(
                    "INSERT INTO allowed_matches VALUES (?, ?)", (picture_id, key)
                )
            if present:
                count(url, sha256, paths)

    def _fill_with_kept(self, run_id: str, matched: bytes) -> None:
        steps = msgspec.msgpack.decode(zlib.decompress(matched), type=list[int])
        self._connection.executemany(
            f"INSERT OR IGNORE INTO report_pictures SELECT p.id, {_PATH}, {_FRESH} FROM pictures p"
            " WHERE p.id = ?",
            ((run_id, number) for number in accumulate(steps)),
        )

    def _fill_with_decided(self, run_id: str) -> None:
        self._connection.execute(
            "INSERT OR IGNORE INTO report_pictures SELECT a.picture_id, c.path, a.run_id = o.run_id"
            " FROM outcomes o JOIN answers a ON a.id = o.answer_id"
            " JOIN claims c ON c.scan_id = a.scan_id WHERE o.run_id = ?"
            " ORDER BY a.run_id = o.run_id DESC",
            (run_id,),
        )
