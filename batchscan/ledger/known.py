"""What the ledger knows of contents, answers and claims, as it is read from there."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from batchscan.model import Sent, TrackedMatch

MOST_ATTEMPTS = 2  # to read an answer, of which none is known to have ended
ANSWER_COLUMNS = (
    "a.id, a.picture_id, a.generation, a.scan_id, a.run_id, a.received_at, a.credits, a.body,"
    " a.reader, a.trouble, a.attempts"
)


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as it came."""

    id: int
    picture_id: int
    generation: int
    scan_id: str
    run_id: str
    received_at: float
    credits: int | None
    body: bytes
    reader: int | None = None  # the version of the reading that entered it; None before that
    trouble: str | None = None  # why its matches may not be all there are
    attempts: int | None = 0  # readings that nobody knows the end of; None: no more are made

    @classmethod
    def of(cls, row: Sequence[Any]) -> StoredAnswer:
        """Make one of the columns `ANSWER_COLUMNS`."""
        number, picture_id, generation, scan_id, run_id, received_at, credits_, *said = row
        body, reader, trouble, attempts = said
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
        """Whether reading it has ended so many processes that this version does not try again."""
        return self.attempts is None or self.attempts >= MOST_ATTEMPTS


@dataclass(frozen=True, slots=True)
class KnownPicture:
    """What the ledger knows of a content."""

    answer: StoredAnswer | None  # the newest
    refusal: bytes | None  # JSON: the service will not take it
    generation: int  # the highest one asked, 0 if none
    open: bool  # that generation's claim still is
    lost: bool  # that generation's answer cannot be had
    # The matches that answers ever showed, by their normalised URLs
    history: Mapping[str, TrackedMatch] = field(default_factory=dict)
    size: tuple[int, int] = (0, 0)  # width and height of the file's picture
    sent: Sent | None = None  # for the answer, in the file's place
    equal: bool = False  # the answer is that of another content, of which the same was sent

    @property
    def is_conclusive(self) -> bool:
        """Whether this may be all there is to learn of the content."""
        return self.answer is not None or self.refusal is not None or self.lost


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
