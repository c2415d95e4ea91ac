"""The parts of a line of `results.jsonl`."""

from __future__ import annotations

import msgspec

from batchscan.enums import Disposition, MatchKind, MatchState


class ErrorFields(msgspec.Struct, frozen=True):
    """An error as the service reported it."""

    http_status: int | None
    type: str | None
    code: str | None
    id: str | None
    trace_id: str | None


class ScoreFields(msgspec.Struct, frozen=True):
    """How many matches the service counted."""

    total: int
    full: int
    partial: int


class MatchFields(msgspec.Struct, frozen=True, gc=False):
    """A copy on the web, and what the history of matches says of it."""

    url: str
    kind: MatchKind
    pages: list[str]
    domain: str
    state: MatchState | None = None
    first_seen: str | None = None
    last_seen: str | None = None
    disposition: Disposition | None = None


class SentFields(msgspec.Struct, frozen=True):
    """The bytes that were sent in a file's place."""

    sha256: str
    bytes: int
    format: str
    width: int
    height: int
    recipe: str


class CoveredByFields(msgspec.Struct, frozen=True):
    """The answered version of a picture that was not asked about, and how alike the two are."""

    path: str
    sha256: str
    distance: int
    difference: int
    rule: str
