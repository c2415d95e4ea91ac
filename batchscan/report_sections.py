"""What is known of many pictures at once: the figures and findings that every format shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from batchscan.enums import Disposition
from batchscan.model import Match, Provenance


@dataclass(frozen=True, slots=True)
class MatchTotals:
    """Matches of a set of pictures; each content and match URL counted once.

    Those that are gone count in `gone` only; allowed ones count in everything but `worklist`.
    """

    images_with_matches: int = 0
    total: int = 0
    full: int = 0
    partial: int = 0
    new: int = 0
    returned: int = 0
    gone: int = 0
    allowed: int = 0
    worklist: int = 0  # open or reviewed: somebody has to do something about them


@dataclass(frozen=True, slots=True)
class FailOnTotals:
    """What `--fail-on` looks at: matches that are there, neither allowed nor somebody else's."""

    new: int = 0  # or returned
    full: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class DomainCount:
    """What one domain shows."""

    domain: str
    images: int
    full: int
    partial: int
    new: int = 0
    allowed: int = 0
    worklist: int = 0


@dataclass(frozen=True, slots=True)
class PictureSummary:
    """One content with matches, and one of the paths it was seen at."""

    path: bytes
    sha256: str
    full: int
    partial: int
    total: int
    scanned_at: float
    new: int = 0
    allowed: int = 0
    worklist: int = 0


@dataclass(frozen=True, slots=True)
class AllowRuleUsage:
    """An allow rule as the reports show it."""

    what: str  # "domain example.com, images stock/"
    reason: str
    by: str | None = None
    until: date | None = None
    expired: bool = False  # past its date: it covers nothing any more
    covers: int = 0  # matches that are there


@dataclass(frozen=True, slots=True)
class MatchSummary:
    """What the ledger knows of every picture that a run saw."""

    matches: MatchTotals = MatchTotals()
    run_matches: MatchTotals = MatchTotals()  # of this run's answers only
    alarms: FailOnTotals = FailOnTotals()
    domains: tuple[DomainCount, ...] = ()  # most images first
    images: tuple[PictureSummary, ...] = ()  # the worst first, at most 1,000
    rules: tuple[AllowRuleUsage, ...] = ()  # in the order of their file


@dataclass(frozen=True, slots=True)
class MatchFacets:
    """What can be chosen of the matches seen, those that are gone too, and how many each has."""

    pictures: int
    matches: int
    kinds: dict[str, int]  # matches
    states: dict[str, int]  # matches
    dispositions: dict[str, int]  # matches
    sites: dict[str, int]  # pictures
    folders: dict[bytes, int]  # pictures, of folders that do not hold all


class MatchDecision(NamedTuple):
    """What somebody decided about a match."""

    at: float  # seconds since 1970
    who: str  # the user's name
    before: Disposition
    after: Disposition
    note: str | None
    undoes: bool  # it took another one back


@dataclass(frozen=True, slots=True)
class PictureMatches:
    """A content with matches, whole: for the formats that name every one of them."""

    path: bytes
    sha256: str
    size: int  # bytes
    format: str
    width: int
    height: int
    scanned_at: float
    credits: int | None
    matches: tuple[Match, ...]  # also those that are gone
    thumbnail: bytes | None = field(default=None, repr=False)  # a small JPEG or WebP file
    provenance: Provenance | None = None
    decisions: Mapping[str, tuple[MatchDecision, ...]] = field(default_factory=dict)  # by URL
