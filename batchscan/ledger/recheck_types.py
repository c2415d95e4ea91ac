"""Types for rechecks, shared by the ledger and `batchscan.recheck`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from batchscan.enums import Disposition, RecheckKind, RecheckVerdict
from batchscan.ledger.match_rows import MatchKey


@dataclass(frozen=True, slots=True)
class RecheckChoice:
    """The matches to check."""

    dispositions: frozenset[Disposition] | None  # None for all
    chosen: Callable[[str], bool]  # whether a URL is selected
    pictures: Callable[[Sequence[bytes]], bool] | None = None  # by a picture's paths; None for all
    place: MatchKey | None = None  # only this match


class MatchToCheck(NamedTuple):
    """A match to check."""

    place: MatchKey
    url: str
    pages: tuple[str, ...]
    domain: str
    disposition: Disposition
    path: bytes  # of one of the picture's files; b"" if none is known


@dataclass(frozen=True, slots=True)
class MatchBatch:
    """Chosen matches, and the key to continue after; None at the end."""

    matches: tuple[MatchToCheck, ...]
    reached: MatchKey | None


@dataclass(frozen=True, slots=True)
class Reference:
    """The data that a match's fetched picture is compared with."""

    sha256: bytes | None = None  # of the bytes first fetched
    fingerprint: bytes | None = None  # of the bytes first fetched
    ours: bytes | None = None  # our picture's thumbnail, a JPEG
    our_sha256: bytes | None = None  # of our file


@dataclass(frozen=True, slots=True)
class Observation:
    """One answer of an address; the ledger decides whether GONE_ONCE becomes GONE."""

    kind: RecheckKind
    url: str
    verdict: RecheckVerdict  # GONE_ONCE if it is not there
    http_status: int | None
    detail: str | None
    checked_at: float
    likeness: float | None = None
    our_likeness: float | None = None
    names_picture: bool | None = None  # of a page


@dataclass(frozen=True, slots=True)
class TheirPicture:
    """The picture fetched from a match's address."""

    sha256: bytes
    fingerprint: bytes | None = field(repr=False)
    preview: bytes | None = field(repr=False)


class CheckedAddress(NamedTuple):
    """The stored result for one address in one recheck run."""

    url: str
    verdict: RecheckVerdict
    http_status: int | None
    checked_at: float
    detail: str | None
    likeness: float | None
    our_likeness: float | None


@dataclass(frozen=True, slots=True)
class CheckedMatch:
    """The stored results for one match in one recheck run."""

    place: MatchKey
    path: bytes
    disposition: Disposition
    picture: CheckedAddress
    pages: tuple[CheckedAddress, ...]
    gone_since: float | None
