"""Matched pictures whole, one after the other, for the formats that name each of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence

import msgspec

from batchscan.digest import FoundPicture
from batchscan.ledger.history import PRESENT, History
from batchscan.model import Provenance

# Those with something new first, then the worst.
_ORDER = (
    f"SELECT s.picture_id, s.path, max({PRESENT} AND m.arrived_in IN"
    f" (SELECT run_id FROM telling)) AS news, sum({PRESENT} AND m.kind = 'full') AS full,"
    f" sum({PRESENT}) AS total"
    " FROM seen s CROSS JOIN sightings m USING (picture_id) JOIN pictures p ON p.id = m.picture_id"
    " GROUP BY s.picture_id ORDER BY news DESC, full DESC, total DESC, s.path"
)
_PICTURE = (
    "SELECT lower(hex(p.sha256)), p.bytes, p.format, p.width, p.height, a.received_at, a.credits,"
    " o.thumbnail, o.provenance FROM pictures p JOIN answers a ON a.id = p.answer_id"
    " LEFT JOIN portraits o ON o.picture_id = p.id WHERE p.id = ?"
)


class Found:
    """Reads matched pictures of those seen by this process."""

    def __init__(self, connection: sqlite3.Connection, history: History) -> None:
        self._connection = connection
        self._history = history

    def pictures(
        self, wanted: Callable[[Sequence[bytes]], bool] | None = None
    ) -> Iterator[FoundPicture]:
        """Every picture seen that has or had a match: those with new ones first, then the worst.

        Args:
            wanted: says of a picture's paths whether it is meant; None for all.
        """
        for picture_id, path, *_ in self._connection.execute(_ORDER):
            if wanted is None or wanted((path, *self._history.paths_of(picture_id))):
                yield self._picture(picture_id, path)

    def _picture(self, picture_id: int, path: bytes) -> FoundPicture:
        row = self._connection.execute(_PICTURE, (picture_id,)).fetchone()
        sha256, size, form, width, height, scanned_at, credits_, thumbnail, provenance = row
        return FoundPicture(
            path=path,
            sha256=sha256,
            size=size,
            format=form,
            width=width,
            height=height,
            scanned_at=scanned_at,
            credits=credits_,
            matches=tuple(each.match for each in self._history.of(picture_id)),
            thumbnail=thumbnail,
            provenance=msgspec.json.decode(provenance, type=Provenance) if provenance else None,
        )
