"""Reading the last recheck of each match, for reports."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from batchscan.enums import RecheckVerdict
from batchscan.rechecked import MatchRecheck, RecheckedPage
from batchscan.report_sections import Rechecks, TheirPreview

MAX_PAGES = 50  # of one match in a report

# The newest row of each address of a match: ids count up.
_NEWEST = (
    "r.id = (SELECT max(n.id) FROM rechecks n WHERE n.picture_id = r.picture_id"
    " AND n.key = r.key AND n.kind = r.kind AND n.url = r.url)"
)
_PICTURE = (
    "SELECT r.verdict, r.http_status, r.checked_at, r.detail, r.gone_since, r.likeness,"
    " r.our_likeness, iif(m.last_seen > r.checked_at, m.last_seen, NULL) FROM rechecks r"
    " JOIN sightings m ON m.picture_id = r.picture_id AND m.key = r.key"
    " WHERE r.picture_id = ? AND r.key = ? AND r.kind = 'picture' ORDER BY r.id DESC LIMIT 1"
)

_RECHECKS = (
    "SELECT r.verdict, count(*), sum(m.last_seen > r.checked_at) FROM report_pictures s"
    " CROSS JOIN rechecks r USING (picture_id) JOIN sightings m ON m.picture_id = r.picture_id"
    " AND m.key = r.key WHERE r.kind = 'picture' AND r.id = (SELECT max(n.id) FROM rechecks n"
    " WHERE n.picture_id = r.picture_id AND n.key = r.key AND n.kind = 'picture')"
    " GROUP BY r.verdict"
)


class RecheckHistory:
    """Reads the tables of rechecks."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._any: bool | None = None

    def of_match(self, place: tuple[int, str]) -> MatchRecheck | None:
        """The last recheck of a match; None if it was never checked."""
        row = self._connection.execute(_PICTURE, place).fetchone()
        if row is None:
            return None
        verdict, status, at, detail, since, first, ours, overruled = row
        return MatchRecheck(
            verdict=RecheckVerdict(verdict),
            http_status=status,
            checked_at=at,
            detail=detail,
            gone_since=since,
            likeness=first,
            our_likeness=ours,
            overruled_at=overruled,
            pages=tuple(self._pages(place)),
        )

    def of_picture(self, picture_id: int) -> dict[str, MatchRecheck]:
        """The last rechecks of a picture's matches, by the match's key."""
        if not self._has_any():
            return {}
        rows = self._connection.execute(
            "SELECT DISTINCT key FROM rechecks WHERE picture_id = ?", (picture_id,)
        ).fetchall()
        histories = ((key, self.of_match((picture_id, key))) for (key,) in rows)
        return {key: history for key, history in histories if history is not None}

    def totals(self) -> Rechecks | None:
        """Totals over the matches of this process's pictures; None if none was checked."""
        rows = self._connection.execute(_RECHECKS).fetchall() if self._has_any() else []
        if not rows:
            return None
        counts = {verdict: number for verdict, number, _ in rows}
        return Rechecks(**counts, overruled=sum(overruled for *_, overruled in rows))

    def previews_of(self, picture_id: int) -> dict[str, TheirPreview]:
        """Thumbnails of a picture's matches, by the match's current URL."""
        rows = self._connection.execute(
            "SELECT m.url, t.seen_at, t.preview FROM their_pictures t JOIN sightings m"
            " ON m.picture_id = t.picture_id AND m.key = t.key"
            " WHERE t.picture_id = ? AND typeof(t.preview) = 'blob'",
            (picture_id,),
        )
        return {url: TheirPreview(at, jpeg) for url, at, jpeg in rows}

    def preview(self, place: tuple[int, str]) -> TheirPreview | None:
        """The thumbnail of a match; None if its picture was never fetched."""
        row = self._connection.execute(
            "SELECT t.seen_at, t.preview FROM their_pictures t"
            " WHERE t.picture_id = ? AND t.key = ? AND typeof(t.preview) = 'blob'",
            tuple(place),
        ).fetchone()
        return TheirPreview(*row) if row else None

    def _pages(self, place: tuple[int, str]) -> Iterator[RecheckedPage]:
        rows = self._connection.execute(
            "SELECT r.url, r.verdict, r.http_status, r.checked_at, r.detail FROM rechecks r"
            f" WHERE r.picture_id = ? AND r.key = ? AND r.kind = 'page' AND {_NEWEST}"
            " ORDER BY r.id LIMIT ?",
            (*place, MAX_PAGES),
        )
        for url, verdict, status, at, detail in rows:
            yield RecheckedPage(url, RecheckVerdict(verdict), status, at, detail)

    def _has_any(self) -> bool:
        """Whether there is any recheck; saves a query for each picture of a report."""
        if not self._any:
            row = self._connection.execute("SELECT EXISTS (SELECT 1 FROM rechecks)").fetchone()
            self._any = bool(row[0])
        return self._any
