"""Decisions of users about versions of one picture, and their result."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

Word: TypeAlias = Literal["split", "join"]


class RenditionDecision(NamedTuple):
    """A person's decision about one picture (split) or two (join)."""

    word: Word
    at: float  # seconds since 1970
    who: str
    sha256: str
    path: bytes
    other_sha256: str | None = None  # of a join
    other_path: bytes | None = None
    note: str | None = None


@dataclass(slots=True)
class Verdicts:
    """The result of all decisions: the last one about a picture counts."""

    alone: set[str] = field(default_factory=set)  # contents that are not versions of others
    joined: set[frozenset[str]] = field(default_factory=set)  # pairs that are one picture

    def enter(self, word: Word, sha256: str, other_sha256: str | None) -> None:
        """Apply the next decision, in the order in which they were made."""
        if word == "split":
            self.alone.add(sha256)
            self.joined = {pair for pair in self.joined if sha256 not in pair}
        elif other_sha256 is not None:
            self.alone -= {sha256, other_sha256}
            self.joined.add(frozenset((sha256, other_sha256)))


class RenditionDecisions:
    """The table of decisions, which are kept for ever."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, decision: RenditionDecision) -> None:
        """Store a decision; earlier ones are kept."""
        other_sha256 = decision.other_sha256
        self._connection.execute(
            "INSERT INTO rendition_decisions (word, at, who, sha256, path, other_sha256,"
            " other_path, note) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(decision.word, decision.at, decision.who),
                *(bytes.fromhex(decision.sha256), decision.path),
                *(
                    None if other_sha256 is None else bytes.fromhex(other_sha256),
                    decision.other_path,
                ),
                decision.note,
            ),
        )

    def __iter__(self) -> Iterator[RenditionDecision]:
        """All decisions in order."""
        for word, at, who, sha256, path, other_sha256, other_path, note in self._connection.execute(
            "SELECT word, at, who, sha256, path, other_sha256, other_path, note"
            " FROM rendition_decisions ORDER BY id"
        ):
            other_hex = other_sha256.hex() if other_sha256 else None
            yield RenditionDecision(word, at, who, sha256.hex(), path, other_hex, other_path, note)

    def verdicts(self) -> Verdicts:
        """The result of all decisions."""
        verdicts = Verdicts()
        for decision in self:
            verdicts.enter(decision.word, decision.sha256, decision.other_sha256)
        return verdicts
