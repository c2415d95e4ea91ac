"""How much the ledger keeps of an answer: asked before a long one is taken into memory."""

from __future__ import annotations

import sqlite3

from batchscan.ledger.equals import Equals
from batchscan.model import Image


class AnswerSizes:
    """Sizes of bodies, which are kept compressed, in bytes; 0 where there is no answer."""

    def __init__(self, connection: sqlite3.Connection, realm_id: int) -> None:
        self._connection = connection
        self._realm_id = realm_id
        self._equals = Equals(connection, realm_id)

    def of_content(self, sha256: str) -> int:
        """Of the answer that `Claims.lookup` would give."""
        row = self._connection.execute(
            "SELECT id FROM pictures WHERE realm_id = ? AND sha256 = ?",
            (self._realm_id, bytes.fromhex(sha256)),
        ).fetchone()
        answer_id = self._equals.answer_of(row[0]) if row else None
        if answer_id is None:
            equal = self._equals.find(sha256)
            answer_id = self._equals.answer_of(equal.picture_id) if equal else None
        return self._size(answer_id)

    def of_sent(self, image: Image) -> int:
        """Of the answer that `Claims.known_by_sent` would give."""
        picture_id = self._equals.answered(image.sent_sha256)
        return 0 if picture_id is None else self._size(self._equals.answer_of(picture_id))

    def _size(self, answer_id: int | None) -> int:
        if answer_id is None:
            return 0
        query = "SELECT length(body) FROM answers WHERE id = ?"
        return int(self._connection.execute(query, (answer_id,)).fetchone()[0])
