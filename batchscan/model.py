"""The types of a picture on its way: `Candidate` → `Image` → `Claim` → `Answer` → `Outcome`.

Frozen, without I/O. Paths are `str` with surrogate escapes (`os.fsdecode`), times are seconds
since 1970 in UTC, sizes are bytes, `sha256` is 64 lower-case hexadecimal digits.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from batchscan.copyleaks.errors import ServiceError as ServiceError  # noqa: PLC0414 - an outcome's
from batchscan.copyleaks.strict_response import Score as Score  # noqa: PLC0414 - an answer's
from batchscan.enums import (
    DeferReason,
    Disposition,
    FailReason,
    MatchKind,
    MatchState,
    RejectReason,
    Status,
)
from batchscan.rechecked import MatchRecheck
from batchscan.rendition_types import CoveredBy, Fingerprint

MAX_COUNT = 2**63 - 1  # the largest integer that a column of the ledger can hold


def bounded(number: int) -> int:
    """The nearest integer that a column can hold: file systems have times beyond the year 2262."""
    return min(max(number, -MAX_COUNT), MAX_COUNT)


class Stat(NamedTuple):
    """The part of a file's stat that changes with its content; times in nanoseconds."""

    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Stat:
        """Take the three numbers from a stat result."""
        return cls(status.st_size, bounded(status.st_mtime_ns), bounded(status.st_ctime_ns))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file found by the walk that is new, changed or due to be asked about again."""

    path: str  # absolute, links unresolved
    stat: Stat | None  # None if the walk could not stat a file that the user had named
    named_by_user: bool = False  # named by the user: may be a link, may have any name
    root: str | None = None  # the root folder it was found under
    is_rescan: bool = False  # unchanged, and its answer is older than `--rescan-after`
    inspected: Image | None = None  # before, in this run: the same bytes are not judged again


@dataclass(frozen=True, slots=True)
class Provenance:
    """Creator and rights from a picture's own EXIF, IPTC and XMP; None if they are missing."""

    creator: str | None = None
    copyright: str | None = None
    credit: str | None = None
    created: str | None = None  # as the file has it


STRIPPED = "s1"
"""The recipe of a file without its metadata."""

CONVERTED = "r1"
"""The recipe of a JPEG made of a picture (`images.conversion.recipe`)."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The bytes that are sent instead of a file's own."""

    sha256: str
    bytes: int
    format: str
    width: int
    height: int
    recipe: str
    made_with: str = ""  # programs and versions with which the bytes can be made again


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that the API takes, or that can be converted into one that it takes.

    Hash, format and size are those of the file. The bytes that are hashed are the bytes that are
    judged and sent, or from which the sent ones are made.
    """

    path: str
    stat: Stat
    data: bytes = field(repr=False)  # of the file; after conversion, of what is sent
    sha256: str
    format: str  # "jpeg", "png", "gif", "bmp", "webp", "ico", "raw", "heic", "tiff"...
    width: int  # 0 if it is not known before decoding
    height: int
    content_type: str  # of what is sent, by its content and not by its name
    file_name: str  # for the multipart: at most 255 characters, its extension fits the content
    warnings: tuple[str, ...] = ()
    kind: str = ""  # more specific than the format: "cr2", "nef"...
    convert: bool = False  # the service does not take it as it is
    ready: bool = False  # whether `data` is what is sent
    sent: Sent | None = None  # None if the file itself is sent
    provenance: Provenance | None = None  # of the file, if other bytes are sent
    fingerprint: Fingerprint | None = field(default=None, repr=False)  # None: not to be compared

    @property
    def sent_sha256(self) -> str:
        """The hash of what is sent."""
        return self.sent.sha256 if self.sent else self.sha256


@dataclass(frozen=True, slots=True)
class NotSendable:
    """A file that will not be sent, with the reason and what is known of it."""

    path: str
    stat: Stat | None
    reason: RejectReason | FailReason
    detail: str
    sha256: str | None = None
    format: str | None = None
    width: int | None = None
    height: int | None = None
    warnings: tuple[str, ...] = ()
    by_conversion: bool = False  # the verdict depends on the rules for conversions


@dataclass(frozen=True, slots=True)
class Claim:
    """A committed note that bytes are about to be sent under this scan id."""

    picture_id: int  # the ledger's number of this content in this realm
    scan_id: str
    generation: int  # 1 for the first question about a content, then 2, 3...


class Match(msgspec.Struct, frozen=True, gc=False):  # an answer may hold a hundred thousand
    """A picture on the web that copies ours, and the pages that show it."""

    url: str
    kind: MatchKind
    pages: tuple[str, ...]
    domain: str  # the registrable domain, or the host, or ""


class TrackedMatch(Match, frozen=True, gc=False):
    """A match with its history; `state` depends on the runs that are reported."""

    state: MatchState
    first_seen: float  # seconds since 1970
    last_seen: float
    disposition: Disposition
    recheck: MatchRecheck | None = None  # the last answer of its site

    @property
    def is_present(self) -> bool:
        """Whether the newest answer contains it."""
        return self.state is not MatchState.GONE

    @property
    def needs_action(self) -> bool:
        """Whether it is on the worklist: present, and not yet decided or noticed."""
        return self.is_present and self.disposition in (Disposition.OPEN, Disposition.REVIEWED)


@dataclass(frozen=True, slots=True)
class Answer:
    """A paid answer: the verbatim body and its content.

    If `trouble` is set, the list of matches is incomplete: it has those that could be read.
    """

    body: bytes = field(repr=False)
    received_at: float
    credits: int | None  # charged, as the answer states it; None if it does not
    expected_credits: int | None
    score: Score | None
    matches: tuple[Match, ...]  # `TrackedMatch` once they are in the ledger
    warnings: tuple[str, ...] = ()
    gone: tuple[TrackedMatch, ...] = ()  # in an earlier answer, and not in this one
    trouble: str | None = None  # why some or all of its matches could not be read
    # The normalized URL of each of `matches`, once it was computed.
    keys: tuple[str, ...] | None = field(default=None, repr=False, compare=False)


# --- outcomes: one variant for each status of a file that was not unchanged ---------------------


@dataclass(frozen=True, slots=True)
class Subject:
    """The file that an outcome is about, and what is known of it."""

    path: str
    bytes: int | None = None
    sha256: str | None = None
    format: str | None = None
    width: int | None = None
    height: int | None = None
    warnings: tuple[str, ...] = ()
    sent: Sent | None = None  # None if the file itself was sent, or nothing


@dataclass(frozen=True, slots=True)
class Effort:
    """Times, requests and scan id behind an outcome."""

    started_at: float
    finished_at: float
    elapsed_ms: int
    attempts: int = 0  # HTTP requests that carried this picture
    scan_id: str | None = None
    generation: int | None = None


@dataclass(frozen=True, slots=True)
class _Decided:
    """The fields that all outcomes share."""

    subject: Subject
    effort: Effort


@dataclass(frozen=True, slots=True)
class Scanned(_Decided):
    """Sent in this run and answered."""

    answer: Answer
    status: Literal[Status.SCANNED] = field(default=Status.SCANNED, init=False)


@dataclass(frozen=True, slots=True)
class Reused(_Decided):
    """The same bytes were answered before; that answer is reused at no cost."""

    answer: Answer
    status: Literal[Status.REUSED] = field(default=Status.REUSED, init=False)


@dataclass(frozen=True, slots=True)
class Covered(_Decided):
    """Not sent: another version of the picture has an answer, which holds for it at no cost."""

    answer: Answer
    by: CoveredBy
    status: Literal[Status.COVERED] = field(default=Status.COVERED, init=False)


@dataclass(frozen=True, slots=True)
class Rejected(_Decided):
    """The API does not take it; nothing was charged."""

    reason: RejectReason
    detail: str
    error: ServiceError | None = None
    status: Literal[Status.REJECTED] = field(default=Status.REJECTED, init=False)


@dataclass(frozen=True, slots=True)
class Failed(_Decided):
    """Tried without an answer that can be read in full; the next run tries again.

    With an `answer`, that one is paid for and kept, and its matches could not all be read. The
    picture is not sent again: the stored answer is, by a version that can read it.
    """

    reason: FailReason
    detail: str
    error: ServiceError | None = None
    answer: Answer | None = None
    status: Literal[Status.FAILED] = field(default=Status.FAILED, init=False)


@dataclass(frozen=True, slots=True)
class Deferred(_Decided):
    """Not tried in this run, for a reason that is not the file's; a later run tries it."""

    reason: DeferReason
    detail: str
    status: Literal[Status.DEFERRED] = field(default=Status.DEFERRED, init=False)


# Unchanged files are counted (`Tally.unchanged`), not made into objects: there may be millions.
Outcome: TypeAlias = Scanned | Reused | Covered | Rejected | Failed | Deferred


@dataclass(frozen=True, slots=True)
class LearnedRate:
    """A rate learned from 429 responses."""

    fraction: float  # of the configured rate, 0 to 1
    ceiling: float  # the fraction at which the last 429 came
    learned_at: float
    paused_until: float
