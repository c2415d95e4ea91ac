"""The figures and matches of many pictures, which all report formats show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, overload

import msgspec

from batchscan.enums import Disposition
from batchscan.model import Provenance, TrackedMatch


class Matches(msgspec.Struct, frozen=True, kw_only=True):
    """Matches, each distinct content and match URL once; those that are gone only in `gone`.

    What a report of before there was a history does not say is null.
    """

    images_with_matches: int
    total: int
    full: int
    partial: int
    new: int | None = None
    returned: int | None = None
    gone: int | None = None
    allowed: int | None = None
    worklist: int | None = None


NO_MATCHES = Matches(
    images_with_matches=0,
    total=0,
    full=0,
    partial=0,
    new=0,
    returned=0,
    gone=0,
    allowed=0,
    worklist=0,
)


@dataclass(frozen=True, slots=True)
class FailOnTotals:
    """The matches that `--fail-on` counts: present, not allowed, and not decided as `not_mine`."""

    new: int = 0  # or returned
    full: int = 0
    total: int = 0


class Domain(msgspec.Struct, frozen=True, kw_only=True):
    """The matches on one domain."""

    domain: str
    images: int
    full: int
    partial: int
    new: int | None = None
    allowed: int | None = None
    worklist: int | None = None


class MatchedPicture(msgspec.Struct, frozen=True, kw_only=True):
    """One content with matches, at one of its paths."""

    path: str
    path_b64: str | None
    sha256: str
    total: int
    full: int
    partial: int
    new: int | None = None
    allowed: int | None = None
    worklist: int | None = None
    scanned_at: str


class AllowRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule of allow.yaml, and how many of the matches it covers."""

    what: str
    reason: str
    by: str | None
    until: str | None
    expired: bool
    covers: int


class Rechecks(msgspec.Struct, frozen=True, kw_only=True):
    """What sites themselves answered last about matches, of their pictures."""

    there: int = 0
    changed: int = 0
    gone_once: int = 0
    gone: int = 0
    unknown: int = 0
    overruled: int = 0  # of all: a later answer of the service names the match again


@dataclass(frozen=True, slots=True)
class MatchSummary:
    """The matches of all pictures that a run saw."""

    matches: Matches = NO_MATCHES
    run_matches: Matches = NO_MATCHES  # of this run's answers only
    alarms: FailOnTotals = FailOnTotals()
    domains: tuple[Domain, ...] = ()  # most images first
    images: tuple[MatchedPicture, ...] = ()  # the worst first, at most 1,000
    rules: tuple[AllowRule, ...] = ()  # in the order of their file
    rechecks: Rechecks | None = None  # None where no site was asked about any of them


@dataclass(frozen=True, slots=True)
class MatchFacets:
    """The choices of a report's filters and their counts, including matches that are gone."""

    pictures: int
    matches: int
    kinds: dict[str, int]  # matches
    states: dict[str, int]  # matches
    dispositions: dict[str, int]  # matches
    sites: dict[str, int]  # pictures
    folders: dict[bytes, int]  # pictures, of folders that do not hold all


class TheirPreview(NamedTuple):
    """The picture at a match's address as it was last fetched."""

    seen_at: float
    jpeg: bytes


class MatchDecision(NamedTuple):
    """A user's decision about a match."""

    at: float  # seconds since 1970
    who: str  # the user's name
    before: Disposition
    after: Disposition
    note: str | None
    undoes: bool  # it took another one back


class Version(NamedTuple):
    """A file that was not asked about, as the answer about a better version of it holds for it."""

    path: bytes
    width: int
    height: int
    distance: int  # how alike the two are (`likeness.CoveredBy`)
    difference: int
    rule: str
    size: int = 0  # bytes
    preview: bytes | None = None  # a small JPEG
    who: str = ""  # joined the two
    note: str | None = None


class MatchCounts(NamedTuple):
    """The numbers of a picture's matches."""

    all: int  # also those that are gone
    present: int  # and the others of those that are there
    full: int
    partial: int
    news: int  # new or returned
    newest: float | None  # when the newest one was first seen


class StreamedMatches(Sequence[TrackedMatch]):
    """Matches that are read again for each iteration, as there may be very many."""

    def __init__(self, read: Callable[[], Iterator[TrackedMatch]]) -> None:
        self._read = read

    def __iter__(self) -> Iterator[TrackedMatch]:
        return self._read()

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @overload
    def __getitem__(self, index: int) -> TrackedMatch: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[TrackedMatch]: ...
    def __getitem__(self, index: int | slice) -> TrackedMatch | Sequence[TrackedMatch]:
        return list(self)[index]


@dataclass(frozen=True, slots=True)
class PictureMatches:
    """A content with all of its matches, for the formats that list them."""

    path: bytes
    sha256: str
    size: int  # bytes
    format: str
    width: int
    height: int
    scanned_at: float
    credits: int | None
    matches: Sequence[TrackedMatch]  # also those that are gone
    thumbnail: bytes | None = field(default=None, repr=False)  # a small JPEG or WebP file
    provenance: Provenance | None = None
    decisions: Mapping[str, tuple[MatchDecision, ...]] = field(default_factory=dict)  # by URL
    versions: tuple[Version, ...] = ()  # the first of them, the largest first
    previews: Mapping[str, TheirPreview] = field(default_factory=dict)  # by URL; on request only
    counts: MatchCounts | None = None  # where `matches` are only the first of more
