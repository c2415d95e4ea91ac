"""The history of matches, as it is read: first and last seen, present or gone, and disposition."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from batchscan.ledger.match_rows import MatchRow, match_of
from batchscan.ledger.perspective import Perspective
from batchscan.ledger.recheck_history import RecheckHistory
from batchscan.model import Match, TrackedMatch
from batchscan.util.paths import join_path

MAX_PATHS = 1_000  # of one content that are compared with rules

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
_MATCHES = (
    f"SELECT m.key, m.url, m.kind, m.pages, m.domain, {STATE}, m.first_seen, m.last_seen,"
    " m.disposition FROM sightings m JOIN pictures p ON p.id = m.picture_id WHERE m.picture_id = ?"
)
_WORST_FIRST = f"NOT {PRESENT}, m.kind <> 'full', m.key"
# The same order without sorting, for very many: each part is read in the order of the table.
_SHOWN, _GONE = "m.answer_id IS p.answer_id", "m.answer_id IS NOT p.answer_id"
_FULL, _OTHER = "m.kind = 'full' ORDER BY m.key", "m.kind <> 'full' ORDER BY m.key"
_KNOWN = "m.arrived_in NOT IN (SELECT run_id FROM news_runs)"
_DECIDED = (
    "(m.disposition NOT IN ('open', 'reviewed') OR EXISTS (SELECT 1 FROM allowed_matches a2"
    " WHERE a2.picture_id = m.picture_id AND a2.key = m.key))"
)
_ON_PAGE = (
    f"NOT {PRESENT}, {_KNOWN}, {_DECIDED},"
    " CASE m.kind WHEN 'full' THEN 0 WHEN 'partial' THEN 1 ELSE 2 END, m.key"
)
_FIRST_ON_PAGE = f"{PRESENT} AND NOT {_KNOWN} AND NOT {_DECIDED} AND m.kind = 'full'"
_OF_PICTURE = "FROM sightings m JOIN pictures p ON p.id = m.picture_id WHERE m.picture_id = ?"


class PresentMatch(NamedTuple):
    """A match in the newest answer, and its picture."""

    url: str
    sha256: str
    paths: tuple[bytes, ...]


class MatchHistory:
    """The table of matches (`sightings`)."""

    def __init__(self, connection: sqlite3.Connection, realm_id: int) -> None:
        self._connection = connection
        self._realm_id = realm_id
        self._rechecks = RecheckHistory(connection)
        self.own = Perspective()  # the default one; views have their own

    def look_from(self, perspective: Perspective) -> None:
        """Set what `STATE` means, for the queries that follow immediately."""
        shown = self._connection.execute("SELECT run_id FROM news_runs").fetchall()
        if {run_id for (run_id,) in shown} == set(perspective.news_of):
            return
        self._connection.execute("DELETE FROM news_runs")
        self._connection.executemany(
            "INSERT OR IGNORE INTO news_runs VALUES (?)",
            ((run_id,) for run_id in perspective.news_of),
        )

    def with_arrivals(self, runs: Sequence[str]) -> list[str]:
        """The given runs in which any match was first seen or returned."""
        cursors = (
            self._connection.execute("SELECT 1 FROM arrivals WHERE run_id = ?", (run_id,))
            for run_id in runs
        )
        return sorted(
            {
                run_id
                for run_id, cursor in zip(runs, cursors, strict=True)
                if cursor.fetchone() is not None
            }
        )

    def matches_of(
        self,
        picture_id: int,
        path: bytes | None = None,
        perspective: Perspective | None = None,
    ) -> dict[str, TrackedMatch]:
        """All matches that a picture ever had, by normalized URL; those that are gone last.

        Args:
            picture_id: of the content.
            path: one of its paths, which need not be in the ledger yet.
            perspective: decides which are new or allowed; None for the default one.
        """
        perspective = perspective or self.own
        self.look_from(perspective)
        rows = self._connection.execute(f"{_MATCHES} ORDER BY {_WORST_FIRST}", (picture_id,))
        return dict(self._read(rows, picture_id, perspective, path))

    def each_of(
        self, picture_id: int, perspective: Perspective, *, many: bool = False, gone: bool = True
    ) -> Iterator[TrackedMatch]:
        """The same matches without their keys.

        Args:
            picture_id: of the content.
            perspective: decides which are new or allowed.
            many: whether there are so many that sorting them would take memory.
            gone: whether some may be gone; without them, many are read faster.
        """
        self.look_from(perspective)
        if not many:
            rows = self._connection.execute(f"{_MATCHES} ORDER BY {_WORST_FIRST}", (picture_id,))
            return self._matches(rows, picture_id, perspective)
        parts = (
            self._connection.execute(f"{_MATCHES} AND {shown} AND {kind}", (picture_id,))
            for shown in (_SHOWN, _GONE)
            if gone or shown is _SHOWN
            for kind in (_FULL, _OTHER)
        )
        return self._matches(chain.from_iterable(parts), picture_id, perspective)

    def first_of(
        self, picture_id: int, perspective: Perspective, most: int, *, news: int = 0
    ) -> Iterator[TrackedMatch]:
        """The first `most` of a picture's matches in the order of a report page.

        New ones come first, then those on the worklist; full copies first, gone ones last. With
        many `news`, which are new or returned, all are looked for among the very first before
        everything is sorted.
        """
        self.look_from(perspective)
        rows: list[tuple[Any, ...]] = []
        if news >= most:
            rows = self._connection.execute(
                f"{_MATCHES} AND {_FIRST_ON_PAGE} ORDER BY m.key LIMIT ?", (picture_id, most)
            ).fetchall()
        if len(rows) < most:
            rows = self._connection.execute(
                f"{_MATCHES} ORDER BY {_ON_PAGE} LIMIT ?", (picture_id, most)
            ).fetchall()
        return self._matches(rows, picture_id, perspective)

    def _matches(
        self, rows: Iterable[tuple[Any, ...]], picture_id: int, perspective: Perspective
    ) -> Iterator[TrackedMatch]:
        if perspective.allows is None and not self._rechecks.of_picture(picture_id):
            return map(match_of, rows)
        return (match for _, match in self._read(rows, picture_id, perspective))

    def _read(
        self,
        rows: Iterable[tuple[Any, ...]],
        picture_id: int,
        perspective: Perspective,
        path: bytes | None = None,
    ) -> Iterator[tuple[str, TrackedMatch]]:
        """Matches and their keys from rows."""
        may_be_allowed = self._is_allowed_of(picture_id, perspective, path)
        rechecks = self._rechecks.of_picture(picture_id)
        for row in rows:
            allowed = may_be_allowed is not None and may_be_allowed(row[1])
            yield row[0], match_of(row, allowed, rechecks.get(row[0]) if rechecks else None)

    def _is_allowed_of(
        self, picture_id: int, perspective: Perspective, path: bytes | None
    ) -> Callable[[str], bool] | None:
        """A function that tests whether a match of a picture is allowed; None without rules."""
        allows = perspective.allows
        if allows is None:
            return None
        paths = self.paths_of(picture_id)
        paths = (path, *paths) if path else paths
        sha256 = self._connection.execute(
            "SELECT lower(hex(sha256)) FROM pictures WHERE id = ?", (picture_id,)
        ).fetchone()[0]
        return lambda url: allows(url, sha256, paths)

    def placed_first(self, picture_id: int, matches: Sequence[Match]) -> tuple[Match, ...]:
        """The matches of a picture's first answer with their history, which starts with it."""
        if not matches:
            return ()
        self.look_from(self.own)
        allows = self.own.allows
        row = self._connection.execute(
            f"SELECT {_COLUMNS} {_OF_PICTURE} LIMIT 1", (picture_id,)
        ).fetchone()
        if row is None:
            return tuple(matches)
        one, paths = MatchRow._make(row), self.paths_of(picture_id) if allows else ()
        return tuple(
            one.placed(
                match.url,
                match.kind,
                match.pages,
                match.domain,
                allowed=allows is not None and allows(match.url, one.sha256, paths),
            )
            for match in matches
        )

    def paths_of(self, picture_id: int) -> tuple[bytes, ...]:
        """The known paths of a picture's content, or the one it was sent from."""
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
        """All present matches of this realm."""
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
