"""What rechecks are asked and what they find, between the ledger and who asks the sites."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from batchscan.enums import Disposition, RecheckKind, RecheckVerdict
from batchscan.ledger.dispositions import MatchKey


@dataclass(frozen=True, slots=True)
class RecheckChoice:
    """Which matches are asked about."""

    dispositions: frozenset[Disposition] | None  # None for all
    chosen: Callable[[str], bool]  # says of a URL whether it is meant
    pictures: Callable[[Sequence[bytes]], bool] | None = None  # of a picture's paths; None for all
    place: MatchKey | None = None  # the only match that is meant


class MatchToCheck(NamedTuple):
    """A match that is asked about."""

    place: MatchKey
    url: str
    pages: tuple[str, ...]
    domain: str
    disposition: Disposition
    path: bytes  # of one of the picture's files; b"" where none is known


@dataclass(frozen=True, slots=True)
class MatchBatch:
    """Some chosen matches, and from where to go on; None at the end."""

    matches: tuple[MatchToCheck, ...]
    reached: MatchKey | None


@dataclass(frozen=True, slots=True)
class Reference:
    """What a match's picture is compared with."""

    sha256: bytes | None = None  # of their bytes as first fetched
    fingerprint: bytes | None = None  # of the same
    ours: bytes | None = None  # our picture's thumbnail, a JPEG


@dataclass(frozen=True, slots=True)
class Observation:
    """What one address answered, before it is known whether it did so for a day."""

    kind: RecheckKind
    url: str
    verdict: RecheckVerdict  # GONE_ONCE where it is not there
    http_status: int | None
    detail: str | None
    checked_at: float
    likeness: float | None = None
    our_likeness: float | None = None
    names_picture: bool | None = None  # of a page


@dataclass(frozen=True, slots=True)
class TheirPicture:
    """The picture that stood at a match's address."""

    sha256: bytes
    fingerprint: bytes | None = field(repr=False)
    preview: bytes | None = field(repr=False)


class CheckedAddress(NamedTuple):
    """What is kept of one address in one run."""

    url: str
    verdict: RecheckVerdict
    http_status: int | None
    checked_at: float
    detail: str | None
    likeness: float | None
    our_likeness: float | None


@dataclass(frozen=True, slots=True)
class CheckedMatch:
    """What is kept of one match in one run."""

    place: MatchKey
    path: bytes
    disposition: Disposition
    picture: CheckedAddress
    pages: tuple[CheckedAddress, ...]
    gone_since: float | None
