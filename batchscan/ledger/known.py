"""Types for what is read from the ledger: answers, pictures, open claims."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from batchscan.model import Sent, TrackedMatch
from batchscan.util.timestamps import MAX_TIME

MAX_ATTEMPTS = 2  # to parse an answer: if none of them ended, a run gives up on it
ANSWER_COLUMNS = (
    "a.id, a.picture_id, a.generation, a.scan_id, a.run_id, a.received_at, a.credits, a.body,"
    " a.reader, a.trouble, a.attempts"
)


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer, verbatim."""

    id: int
    picture_id: int
    generation: int
    scan_id: str
    run_id: str
    received_at: float
    credits: int | None
    body: bytes
    reader: int | None = None  # version of the parser that entered it; None if not entered
    trouble: str | None = None  # why its matches may be incomplete
    attempts: int | None = 0  # parsings that were started and not finished; None: given up

    @classmethod
    def of(cls, row: Sequence[Any]) -> StoredAnswer:
        """Make one of a row with the columns `ANSWER_COLUMNS`."""
        number, picture_id, generation, scan_id, run_id, received_at, credits_, *parsing = row
        body, reader, trouble, attempts = parsing
        require_time(number, received_at)
        return cls(
            id=number,
            picture_id=picture_id,
            generation=generation,
            scan_id=scan_id,
            run_id=run_id,
            received_at=received_at,
            credits=credits_,
            body=zlib.decompress(body),
            reader=reader,
            trouble=trouble,
            attempts=attempts,
        )

    @property
    def given_up(self) -> bool:
        """Whether parsing it crashed so often that this version does not try again.

        The number of attempts does not decide that here: the last one may be under way.
        """
        return self.attempts is None


def require_time(answer_id: int, received_at: float) -> None:
    """Raise ValueError if an answer's time is damaged: one before 1970 would make it out of date."""
    if not 0 <= received_at <= MAX_TIME:
        raise ValueError(f"answer {answer_id} has no possible time")


class AnswerFacts(NamedTuple):
    """The facts that decide whether an answer can be used, without its content."""

    id: int
    picture_id: int
    scan_id: str
    generation: int
    run_id: str
    received_at: float
    readable: bool  # whether nothing is known that keeps its matches from being read
    matched: bool  # whether an answer about its picture ever had a match


@dataclass(frozen=True, slots=True)
class KnownPicture:
    """The ledger's records of a content."""

    answer: StoredAnswer | None  # the newest
    refusal: bytes | None  # JSON, if the service refused it
    generation: int  # the highest one sent, 0 if none
    open: bool  # whether the claim of that generation is open
    lost: bool  # whether the answer of that generation is lost
    # All matches that answers ever contained, by normalized URL.
    history: Mapping[str, TrackedMatch] = field(default_factory=dict)
    size: tuple[int, int] = (0, 0)  # width and height of the file's picture
    sent: Sent | None = None  # if other bytes than the file's were sent for the answer
    equal: bool = False  # the answer is that of another content with the same sent bytes

    @property
    def is_conclusive(self) -> bool:
        """Whether there is an answer or a refusal that may be final."""
        return self.answer is not None or self.refusal is not None or self.lost

    def without_matches(self) -> KnownPicture:
        """The same without the answer's body and matches, which take memory."""
        answer = self.answer and replace(self.answer, body=b"")
        return replace(self, answer=answer, history={})


UNKNOWN_PICTURE = KnownPicture(answer=None, refusal=None, generation=0, open=False, lost=False)


@dataclass(frozen=True, slots=True)
class OpenClaim:
    """A claim that a killed run left open."""

    picture_id: int
    scan_id: str
    generation: int
    path: bytes
    sha256: str
    bytes: int
    format: str
    width: int
    height: int
    opened_at: float
    sends: int
    under_way: bool
    sent: Sent | None
