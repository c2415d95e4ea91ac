"""Different contents from which the same bytes are made to be sent: they share one answer."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import msgspec

from batchscan.model import Image, Sent


@dataclass(frozen=True, slots=True)
class Equal:
    """A content without an answer of its own, and the picture whose answer it shares."""

    picture_id: int
    bytes: int
    format: str
    width: int
    height: int
    sent: Sent | None


class Equals:
    """The table of contents from which the same bytes are sent as for an answered picture."""

    def __init__(self, connection: sqlite3.Connection, realm_id: int) -> None:
        self._connection = connection
        self._realm_id = realm_id

    def find(self, sha256: str) -> Equal | None:
        """The entry of a content; None without one."""
        row = self._connection.execute(
            "SELECT picture_id, bytes, format, width, height, sent FROM equals"
            " WHERE realm_id = ? AND sha256 = ?",
            (self._realm_id, bytes.fromhex(sha256)),
        ).fetchone()
        if row is None:
            return None
        picture_id, size, form, width, height, sent = row
        return Equal(picture_id, size, form, width, height, read_sent(sent))

    def answered(self, sent_sha256: str) -> int | None:
        """The id of the picture that was answered for these sent bytes."""
        digest = bytes.fromhex(sent_sha256)
        row = self._connection.execute(
            "SELECT a.picture_id FROM answers a WHERE a.picture_id IN ("
            "SELECT c.picture_id FROM claims c JOIN pictures p ON p.id = c.picture_id"
            " WHERE c.sent_sha256 = ?2 AND p.realm_id = ?1 AND c.state = 'answered'"
            " UNION ALL SELECT c.picture_id FROM pictures p JOIN claims c ON c.picture_id = p.id"
            " WHERE p.realm_id = ?1 AND p.sha256 = ?2 AND c.sent_sha256 IS NULL"
            " AND c.state = 'answered') ORDER BY a.id DESC LIMIT 1",
            (self._realm_id, digest),
        ).fetchone()
        return int(row[0]) if row else None

    def answer_of(self, picture_id: int) -> int | None:
        """The id of a picture's newest answer."""
        row = self._connection.execute(
            "SELECT max(id) FROM answers WHERE picture_id = ?", (picture_id,)
        ).fetchone()
        return None if row[0] is None else int(row[0])

    def of(self, picture_id: int, image: Image) -> Equal:
        """An entry for a content that shares the answer of a picture."""
        size = (image.width, image.height)
        return Equal(picture_id, image.stat.size, image.format, *size, image.sent)

    def add(self, equal: Equal, sha256: str) -> None:
        """Store an entry, so that the content need not be converted again to find its answer."""
        self._connection.execute(
            "INSERT OR REPLACE INTO equals VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._realm_id,
                bytes.fromhex(sha256),
                equal.picture_id,
                equal.bytes,
                equal.format,
                equal.width,
                equal.height,
                sent_columns(equal.sent)[0],
            ),
        )


def sent_columns(sent: Sent | None) -> tuple[bytes | None, bytes | None]:
    """The columns for what was sent: JSON and hash."""
    if sent is None:
        return None, None
    return msgspec.json.encode(sent), bytes.fromhex(sent.sha256)


def read_sent(written: bytes | None) -> Sent | None:
    """Decode what was sent from its JSON."""
    return msgspec.json.decode(written, type=Sent) if written else None
