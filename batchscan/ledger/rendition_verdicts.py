"""What people decided about versions of one picture, and the result."""

from __future__ import annotations

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

    def enter(self, word: Word, one: str, other: str | None) -> None:
        """Apply the next decision."""
        if word == "split":
            self.alone.add(one)
            self.joined = {pair for pair in self.joined if one not in pair}
        elif other is not None:
            self.alone -= {one, other}
            self.joined.add(frozenset((one, other)))
