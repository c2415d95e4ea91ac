"""Looking up contents: with an answer, refused, or sent without an answer."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import replace
from typing import NamedTuple

from batchscan.ledger.equals import Equal, Equals, read_sent
from batchscan.ledger.known import (
    ANSWER_COLUMNS,
    UNKNOWN_PICTURE,
    AnswerFacts,
    KnownPicture,
    StoredAnswer,
    require_time,
)
from batchscan.ledger.match_history import MatchHistory
from batchscan.model import Image, Sent

_STATES = frozenset({"open", "answered", "refused", "lost"})


class PictureRow(NamedTuple):
    """The columns of a picture that was sent itself."""

    id: int
    refusal: bytes | None
    size: tuple[int, int]


class FoundContent(NamedTuple):
    """The location of a content's answer, which is not read yet."""

    picture: PictureRow | None = None
    equal: Equal | None = None  # if the answer is that of another content
    answer_id: int | None = None


class KnownPictures:
    """Looks up contents.

    In two steps, because an answer may be very long: `find` or `find_by_sent` reads no body, so
    that `body_size` can be asked for before `read`.
    """

    def __init__(
        self, connection: sqlite3.Connection, realm_id: int, history: MatchHistory
    ) -> None:
        self._connection = connection
        self._realm_id = realm_id
        self._history = history
        self._equals = Equals(connection, realm_id)

    def credits_of(self, sha256: str) -> int:
        """The price of a content's newest answer in credits; 0 without one."""
        row = self._connection.execute(
            "SELECT a.credits FROM pictures p JOIN answers a ON a.id = p.answer_id"
            " WHERE p.realm_id = ? AND p.sha256 = ?",
            (self._realm_id, bytes.fromhex(sha256)),
        ).fetchone()
        return int(row[0] or 0) if row else 0

    def lookup(self, sha256: str, path: str | None = None) -> KnownPicture:
        """Look up a content that was found at `path`."""
        return self.read(self.find(sha256), path)

    def find(self, sha256: str) -> FoundContent:
        """Find a content by its SHA-256, in 64 hexadecimal digits."""
        row = self._connection.execute(
            "SELECT id, (SELECT max(a.id) FROM answers a WHERE a.picture_id = p.id), refusal,"
            " width, height FROM pictures p WHERE realm_id = ? AND sha256 = ?",
            (self._realm_id, bytes.fromhex(sha256)),
        ).fetchone()
        if row is None or row[1] is None:
            equal = self._equals.find(sha256)
            if equal is not None:
                return FoundContent(None, equal, self._equals.answer_of(equal.picture_id))
        if row is None:
            return FoundContent()
        picture_id, answer_id, refusal, width, height = row
        return FoundContent(PictureRow(picture_id, refusal, (width, height)), None, answer_id)

    def find_by_sent(self, image: Image) -> FoundContent:
        """Find the answer of another content for which the same bytes were sent."""
        picture_id = self._equals.answered(image.sent_sha256)
        if picture_id is None:
            return FoundContent()
        equal = self._equals.of(picture_id, image)
        return FoundContent(None, equal, self._equals.answer_of(picture_id))

    def body_size(self, answer_id: int | None) -> int:
        """Bytes of an answer's body as it is stored, compressed; 0 without an answer."""
        if answer_id is None:
            return 0
        query = "SELECT length(body) FROM answers WHERE id = ?"
        row = self._connection.execute(query, (answer_id,)).fetchone()
        return int(row[0]) if row else 0

    def read(self, content: FoundContent, path: str | None = None) -> KnownPicture:
        """Read what `find` or `find_by_sent` found, for a file at `path`."""
        if content.equal is not None:
            return self._read_equal(content.equal, self.answer(content.answer_id), path)
        if content.picture is None:
            return UNKNOWN_PICTURE
        picture_id, refusal, size = content.picture
        claim = self._connection.execute(
            "SELECT generation, state FROM claims WHERE picture_id = ?"
            " ORDER BY generation DESC LIMIT 1",
            (picture_id,),
        ).fetchone()
        generation, state = claim or (0, "")
        answer = self.answer(content.answer_id)
        if state not in _STATES or (state == "answered" and answer is None):
            raise sqlite3.DatabaseError(f"what was paid for picture {picture_id} is damaged")
        return KnownPicture(
            answer,
            refusal,
            generation,
            state == "open",
            state == "lost",
            self._history.matches_of(picture_id, _encoded(path)) if answer else {},
            size,
            self._sent(answer.scan_id) if answer else None,
        )

    def answer(self, answer_id: int | None) -> StoredAnswer | None:
        """The answer with this id."""
        row = self._connection.execute(
            f"SELECT {ANSWER_COLUMNS} FROM answers a WHERE id = ?",
            (answer_id,),
        ).fetchone()
        return StoredAnswer.of(row) if row else None

    def is_conclusive(self, sha256: str) -> bool:
        """Whether there is an answer about a content, or a refusal that may be final."""
        content = self.find(sha256)
        return content.answer_id is not None or self.read(content).is_conclusive

    def facts(self, sha256: str) -> AnswerFacts | None:
        """The newest answer about a content, without reading it; None without one."""
        row = self._connection.execute(
            "SELECT id, picture_id, scan_id, generation, run_id, received_at,"
            " trouble IS NULL,"
            " EXISTS (SELECT 1 FROM sightings m WHERE m.picture_id = a.picture_id)"
            " FROM answers a WHERE id = ?",
            (self.find(sha256).answer_id,),
        ).fetchone()
        if row is None:
            return None
        *values, readable, matched = row
        facts = AnswerFacts._make((*values, bool(readable), bool(matched)))
        require_time(facts.id, facts.received_at)
        return facts

    def equate(self, image: Image, picture_id: int) -> None:
        """Remember that the answer of another picture holds for a file's content."""
        self._equals.add(self._equals.of(picture_id, image), image.sha256)

    def _sent(self, scan_id: str) -> Sent | None:
        """The content that was sent instead of a file under a scan id; None if it was the file."""
        row = self._connection.execute(
            "SELECT sent FROM claims WHERE scan_id = ?", (scan_id,)
        ).fetchone()
        return read_sent(row[0]) if row else None

    def _read_equal(
        self, equal: Equal, answer: StoredAnswer | None, path: str | None
    ) -> KnownPicture:
        if answer is None:
            return UNKNOWN_PICTURE
        return replace(
            UNKNOWN_PICTURE,
            answer=answer,
            history=self._history.matches_of(equal.picture_id, _encoded(path)),
            size=(equal.width, equal.height),
            sent=equal.sent,
            equal=True,
        )


def _encoded(path: str | None) -> bytes | None:
    return os.fsencode(path) if path else None
