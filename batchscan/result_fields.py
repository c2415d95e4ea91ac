"""The parts of a line of `results.jsonl`."""

from __future__ import annotations

import msgspec

from batchscan.enums import Disposition, MatchKind, MatchState, RecheckVerdict
from batchscan.model import Answer, Match, Sent, ServiceError, TrackedMatch
from batchscan.rechecked import MatchRecheck
from batchscan.rendition_types import CoveredBy
from batchscan.util.escaping import path_fields, replace_surrogates
from batchscan.util.timestamps import rfc3339


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


class RecheckedPageFields(msgspec.Struct, frozen=True, kw_only=True):
    """The last recheck of a page of a match."""

    url: str
    verdict: RecheckVerdict
    http_status: int | None
    checked_at: str
    detail: str | None


class RecheckFields(msgspec.Struct, frozen=True, kw_only=True):
    """The last recheck of a match."""

    verdict: RecheckVerdict
    http_status: int | None
    checked_at: str
    detail: str | None
    gone_since: str | None
    likeness: float | None  # to their picture as first fetched, 0 to 1
    our_likeness: float | None  # to our picture, 0 to 1
    overruled_at: str | None  # when a later answer of the service named the match again
    pages: list[RecheckedPageFields]


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
    recheck: RecheckFields | None = None


def recheck_fields(recheck: MatchRecheck | None) -> RecheckFields | None:
    """Write down what a site answered."""
    if recheck is None:
        return None
    return RecheckFields(
        verdict=recheck.verdict,
        http_status=recheck.http_status,
        checked_at=rfc3339(recheck.checked_at),
        detail=recheck.detail,
        gone_since=_time(recheck.gone_since),
        likeness=_share(recheck.likeness),
        our_likeness=_share(recheck.our_likeness),
        overruled_at=_time(recheck.overruled_at),
        pages=[
            RecheckedPageFields(
                url=replace_surrogates(page.url),
                verdict=page.verdict,
                http_status=page.http_status,
                checked_at=rfc3339(page.checked_at),
                detail=page.detail,
            )
            for page in recheck.pages
        ],
    )


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else rfc3339(seconds)


def _share(likeness: float | None) -> float | None:
    return None if likeness is None else round(likeness, 2)


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


def sent_fields(sent: Sent | None) -> SentFields | None:
    """The fields about the bytes that were sent instead of a file."""
    return msgspec.convert(sent, SentFields, from_attributes=True) if sent else None


def covered_by_fields(by: CoveredBy) -> CoveredByFields:
    """The fields about the answered picture that a picture is a version of."""
    path, _ = path_fields(by.path)
    return CoveredByFields(path, by.sha256, by.distance, by.difference, by.rule)


def error_fields(error: ServiceError | None) -> ErrorFields | None:
    """The fields of an error as the service reported it."""
    if error is None:
        return None
    words = (error.type, error.code, error.id, error.trace_id)
    return ErrorFields(error.http_status, *(word and replace_surrogates(word) for word in words))


def match_fields(answer: Answer) -> list[MatchFields]:
    """The fields of an answer's matches, and of those that are gone from it."""
    return [fields_of(match) for match in (*answer.matches, *answer.gone)]


def score_fields(answer: Answer) -> ScoreFields | None:
    """The fields about the numbers of matches, as counted by the service."""
    score = answer.score
    return None if score is None else ScoreFields(score.total, score.full, score.partial)


def fields_of(match: Match) -> MatchFields:
    """The fields of a match; its history is null if it is not known."""
    url, domain = replace_surrogates(match.url), replace_surrogates(match.domain)
    pages = [replace_surrogates(page) for page in match.pages]
    if not isinstance(match, TrackedMatch):
        return MatchFields(url, match.kind, pages, domain)
    return MatchFields(
        url,
        match.kind,
        pages,
        domain,
        match.state,
        rfc3339(match.first_seen),
        rfc3339(match.last_seen),
        match.disposition,
        recheck_fields(match.recheck),
    )
