"""The types that pictures travel in: `Candidate` → `Image` → `Claim` → `Answer` → `Outcome`.

Frozen, without I/O. Paths are `str` with surrogate escapes (`os.fsdecode`), times are seconds
since 1970 in UTC, sizes are bytes, `sha256` is 64 lower-case hexadecimal digits.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from batchscan.copyleaks.errors import ServiceError as ServiceError  # noqa: PLC0414 - an outcome's
from batchscan.enums import (
    DeferReason,
    Disposition,
    FailReason,
    MatchKind,
    MatchState,
    RejectReason,
    Status,
)
from batchscan.likeness import CoveredBy, Fingerprint
from batchscan.rechecked import MatchRecheck

MAX_COUNT = 2**63 - 1  # that a column of the ledger holds


def bounded(number: int) -> int:
    """The nearest that a column of the ledger holds: file systems have times beyond year 2262."""
    return min(max(number, -MAX_COUNT), MAX_COUNT)


class Stat(NamedTuple):
    """What distinguishes a file from its former self; nanoseconds, as `os.stat` gives them."""

    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Stat:
        """Take the three figures out of a stat result."""
        return cls(status.st_size, bounded(status.st_mtime_ns), bounded(status.st_ctime_ns))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that the walk found and the ledger does not know in this state."""

    path: str  # absolute, links unresolved
    stat: Stat | None  # None where the walk could not stat a file that the user had named
    named_by_user: bool = False  # named by the user: may be a link, may have any name
    root: str | None = None  # the root folder it was found under
    is_rescan: bool = False  # unchanged since an answer that is old enough to be asked for again


@dataclass(frozen=True, slots=True)
class Provenance:
    """Who made a picture and whose it is, by its own EXIF, IPTC and XMP; None where it is silent."""

    creator: str | None = None
    copyright: str | None = None
    credit: str | None = None
    created: str | None = None  # as written there


STRIPPED = "s1"
"""The recipe of a file without its metadata."""

CONVERTED = "r1"
"""The recipe of a JPEG made of a picture (`images.conversion.recipe`)."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The bytes that are sent in a file's place."""

    sha256: str
    bytes: int
    format: str
    width: int
    height: int
    recipe: str
    made_with: str = ""  # programs and their versions, by which the bytes can be made again


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that the API takes, or that something which it takes is made of.

    Its hash, format and size are the file's. What is hashed is what is judged, and what is sent is
    made of those bytes and of nothing else.
    """

    path: str
    stat: Stat
    data: bytes = field(repr=False)  # the file's; what is sent, once that is made
    sha256: str
    format: str  # "jpeg", "png", "gif", "bmp", "webp", "ico", "raw", "heic", "tiff"...
    width: int  # 0 where it is not known before decoding
    height: int
    content_type: str  # of what is sent: the true one, whatever the name says
    file_name: str  # for the multipart: at most 255 characters, its extension fits the content
    warnings: tuple[str, ...] = ()
    kind: str = ""  # more exact than the format: "cr2", "nef"...
    convert: bool = False  # the service would not take it as it is
    ready: bool = False  # whether `data` is what is sent
    sent: Sent | None = None  # None where that is the file itself
    provenance: Provenance | None = None  # of the file, where other bytes are sent
    fingerprint: Fingerprint | None = field(default=None, repr=False)  # None: not to be compared

    @property
    def sent_sha256(self) -> str:
        """The hash of what is sent."""
        return self.sent.sha256 if self.sent else self.sha256


@dataclass(frozen=True, slots=True)
class NotSendable:
    """A file that will not be sent, with the reason; what was learned before is kept."""

    path: str
    stat: Stat | None
    reason: RejectReason | FailReason
    detail: str
    sha256: str | None = None
    format: str | None = None
    width: int | None = None
    height: int | None = None
    warnings: tuple[str, ...] = ()
    by_conversion: bool = False  # other rules for conversions might have led to another verdict


@dataclass(frozen=True, slots=True)
class Claim:
    """A committed promise that bytes are about to leave under this scan id."""

    picture_id: int  # the ledger's number of this content in this realm
    scan_id: str
    generation: int  # 1 for the first question about a content, then 2, 3...


@dataclass(frozen=True, slots=True)
class Score:
    """How many matches the service counted."""

    total: int
    full: int
    partial: int


class Match(msgspec.Struct, frozen=True, gc=False):  # an answer may hold a hundred thousand
    """A picture on the web that copies ours, and the pages that show it."""

    url: str
    kind: MatchKind
    pages: tuple[str, ...]
    domain: str  # the registrable domain, or the host, or ""


class TrackedMatch(Match, frozen=True, gc=False):
    """A match with its history, looked at from the runs that are reported."""

    state: MatchState
    first_seen: float  # seconds since 1970
    last_seen: float
    disposition: Disposition
    recheck: MatchRecheck | None = None  # what its site answered last

    @property
    def is_present(self) -> bool:
        """Whether the newest answer shows it."""
        return self.state is not MatchState.GONE

    @property
    def needs_action(self) -> bool:
        """Whether it is on the worklist: there, and nobody has settled it yet."""
        return self.is_present and self.disposition in (Disposition.OPEN, Disposition.REVIEWED)


@dataclass(frozen=True, slots=True)
class Answer:
    """A paid answer: the verbatim body and what it says.

    With a `trouble` the matches are those that could be read, and nobody may take them for all.
    """

    body: bytes = field(repr=False)
    received_at: float
    credits: int | None  # really charged, as the service says; None where it did not
    expected_credits: int | None
    score: Score | None
    matches: tuple[Match, ...]  # `TrackedMatch` where the ledger knows them
    warnings: tuple[str, ...] = ()
    gone: tuple[TrackedMatch, ...] = ()  # shown by an earlier answer, and not by this one
    trouble: str | None = None  # why its matches cannot be read, or not all of them


# --- outcomes: one variant for each status of a file that was not unchanged ---------------------


@dataclass(frozen=True, slots=True)
class Subject:
    """Which file an outcome is about and what was learned of it."""

    path: str
    bytes: int | None = None
    sha256: str | None = None
    format: str | None = None
    width: int | None = None
    height: int | None = None
    warnings: tuple[str, ...] = ()
    sent: Sent | None = None  # where other bytes than the file's were sent


@dataclass(frozen=True, slots=True)
class Effort:
    """What was done for an outcome, and when."""

    started_at: float
    finished_at: float
    elapsed_ms: int
    attempts: int = 0  # HTTP requests that carried this picture
    scan_id: str | None = None
    generation: int | None = None


@dataclass(frozen=True, slots=True)
class _Decided:
    """What every outcome says."""

    subject: Subject
    effort: Effort


@dataclass(frozen=True, slots=True)
class Scanned(_Decided):
    """Sent in this run and answered."""

    answer: Answer
    status: Literal[Status.SCANNED] = field(default=Status.SCANNED, init=False)


@dataclass(frozen=True, slots=True)
class Reused(_Decided):
    """The same bytes had been answered before: that answer, no credit."""

    answer: Answer
    status: Literal[Status.REUSED] = field(default=Status.REUSED, init=False)


@dataclass(frozen=True, slots=True)
class Covered(_Decided):
    """Not sent: another version of the same picture is answered. That answer, no credit."""

    answer: Answer
    by: CoveredBy
    status: Literal[Status.COVERED] = field(default=Status.COVERED, init=False)


@dataclass(frozen=True, slots=True)
class Rejected(_Decided):
    """The API would not take it; nothing was charged."""

    reason: RejectReason
    detail: str
    error: ServiceError | None = None
    status: Literal[Status.REJECTED] = field(default=Status.REJECTED, init=False)


@dataclass(frozen=True, slots=True)
class Failed(_Decided):
    """Tried, no answer; tried again in the next run.

    With an `answer`, that one is paid for and kept, and what it says of matches is not all, or not
    known: it is not asked for again, but read again by a version that can.
    """

    reason: FailReason
    detail: str
    error: ServiceError | None = None
    answer: Answer | None = None
    status: Literal[Status.FAILED] = field(default=Status.FAILED, init=False)


@dataclass(frozen=True, slots=True)
class Deferred(_Decided):
    """Not tried."""

    reason: DeferReason
    detail: str
    status: Literal[Status.DEFERRED] = field(default=Status.DEFERRED, init=False)


# Unchanged files are counted (`Tally.unchanged`), not made into objects: there may be millions.
Outcome: TypeAlias = Scanned | Reused | Covered | Rejected | Failed | Deferred


@dataclass(frozen=True, slots=True)
class LearnedRate:
    """A rate that 429s taught."""

    fraction: float  # of the configured rate, 0 to 1
    ceiling: float  # the share at which the last 429 came
    learned_at: float
    paused_until: float
