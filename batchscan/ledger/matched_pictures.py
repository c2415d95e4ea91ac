"""Reading pictures with their matches, one by one, for reports."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence

from batchscan.ledger.decision_history import DecisionHistory
from batchscan.ledger.match_history import MatchHistory
from batchscan.ledger.perspective import Perspective
from batchscan.ledger.preview_values import jpeg_in, provenance_in
from batchscan.ledger.recheck_history import RecheckHistory
from batchscan.ledger.versions import versions_of
from batchscan.model import TrackedMatch
from batchscan.report_sections import (
    MatchCounts,
    PictureMatches,
    StreamedMatches,
)

MANY = 10_000  # matches of one picture
# Pictures with new matches first, then those with the most.
_ORDER = (
    "SELECT s.picture_id, s.path, t.present + t.gone, t.present, t.full, t.partial,"
    " t.new + t.returned, t.newest FROM picture_sums t JOIN report_pictures s USING (picture_id)"
    " ORDER BY t.new + t.returned > 0 DESC, t.full DESC, t.present DESC, s.path"
)
_PICTURE = (
    "SELECT lower(hex(p.sha256)), p.bytes, p.format, p.width, p.height, a.received_at, a.credits,"
    " o.thumbnail, o.provenance FROM pictures p JOIN answers a ON a.id = p.answer_id"
    " LEFT JOIN portraits o ON o.picture_id = p.id WHERE p.id = ?"
)


class MatchedPictures:
    """Reads the matched pictures of a view."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        history: MatchHistory,
        perspective: Perspective,
        *,
        previews: bool = False,
        most: int | None = None,
        streamed: bool = False,
    ) -> None:
        """Read for a view; see `ReportView.pictures`."""
        self._connection = connection
        self._history = history
        self._perspective = perspective
        self._decisions = DecisionHistory(connection)
        self._theirs = RecheckHistory(connection) if previews else None
        self._most = most
        self._streamed = streamed

    def pictures(
        self, wanted: Callable[[Sequence[bytes]], bool] | None = None
    ) -> Iterator[PictureMatches]:
        """The pictures of the view, those with new matches first.

        Args:
            wanted: selects pictures by their paths; None for all.
        """
        for picture_id, path, *counts in self._connection.execute(_ORDER):
            if wanted is None or wanted((path, *self._history.paths_of(picture_id))):
                yield self._picture(picture_id, path, MatchCounts(*counts))

    def _picture(self, picture_id: int, path: bytes, counts: MatchCounts) -> PictureMatches:
        row = self._connection.execute(_PICTURE, (picture_id,)).fetchone()
        sha256, size, form, width, height, scanned_at, credits_, thumbnail, provenance = row
        return PictureMatches(
            path=path,
            sha256=sha256,
            size=size,
            format=form,
            width=width,
            height=height,
            scanned_at=scanned_at,
            credits=credits_,
            matches=self._matches(picture_id, counts),
            counts=counts if self._most is not None and counts.all > self._most else None,
            thumbnail=jpeg_in(thumbnail),
            provenance=provenance_in(provenance),
            decisions=self._decisions.of_picture(picture_id),
            versions=versions_of(self._connection, picture_id, previews=self._most is not None),
            previews=self._theirs.previews_of(picture_id) if self._theirs else {},
        )

    def _matches(self, picture_id: int, counts: MatchCounts) -> Sequence[TrackedMatch]:
        each_of, perspective = self._history.each_of, self._perspective
        if self._streamed:
            many, gone = counts.all > MANY, counts.all > counts.present
            return StreamedMatches(lambda: each_of(picture_id, perspective, many=many, gone=gone))
        if self._most is not None:
            first = self._history.first_of(picture_id, perspective, self._most, news=counts.news)
            return tuple(first)
        return tuple(each_of(picture_id, perspective))
