"""Conversion between matches and rows of `sightings`, and their keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from batchscan.enums import Disposition, MatchKind, MatchState
from batchscan.model import Answer, Match, TrackedMatch
from batchscan.rechecked import MatchRecheck
from batchscan.util.urls import normalize_url

_WORST = (MatchKind.FULL, MatchKind.PARTIAL, MatchKind.OTHER)
# Enumeration members by value: a lookup is faster than calling the enumeration for each match.
_KINDS = {word.value: word for word in MatchKind}
_STATES = {word.value: word for word in MatchState}
_DISPOSITIONS = {word.value: word for word in Disposition}
_PAGES = msgspec.json.Decoder(tuple[str, ...])
_ENCODER = msgspec.json.Encoder()


class MatchKey(NamedTuple):
    """The key of a match in table `sightings`; decisions about many go in this order."""

    picture_id: int = 0
    key: str = ""


FIRST_MATCH = MatchKey()  # before all others


class MatchRow(NamedTuple):
    """The columns of a match with its history."""

    key: str
    url: str
    kind: str
    domain: str
    pages: bytes | None
    state: str
    first_seen: float
    last_seen: float
    disposition: str
    sha256: str

    def placed(
        self, url: str, kind: MatchKind, pages: tuple[str, ...], domain: str, *, allowed: bool
    ) -> TrackedMatch:
        """A match with this row's history."""
        return TrackedMatch(
            url,
            kind,
            pages,
            domain,
            _STATES[self.state],
            self.first_seen,
            self.last_seen,
            Disposition.ALLOWED if allowed else _DISPOSITIONS[self.disposition],
        )


def match_of(
    row: tuple[Any, ...],
    allowed: bool = False,
    recheck: MatchRecheck | None = None,
) -> TrackedMatch:
    """The match of a row: key, URL, kind, pages, domain, state, first and last seen, disposition."""
    _, url, kind, pages, domain, state, first_seen, last_seen, disposition = row
    return TrackedMatch(
        url,
        _KINDS[kind],
        _PAGES.decode(pages) if pages else (),
        domain,
        _STATES[state],
        first_seen,
        last_seen,
        Disposition.ALLOWED if allowed else _DISPOSITIONS[disposition],
        recheck,
    )


def by_key(matches: Iterable[Match]) -> dict[str, Match]:
    """Matches by normalized URL; duplicates are merged, with the worst kind and all pages."""
    return merged_by_key([(normalize_url(match.url), match) for match in matches])


def merged_by_key(matches: Sequence[tuple[str, Match]]) -> dict[str, Match]:
    """The same, of pairs of normalized URL and match."""
    distinct = dict(matches)
    if len(distinct) == len(matches):  # nearly always
        return distinct
    same: dict[str, list[Match]] = {}
    for key, match in matches:
        same.setdefault(key, []).append(match)
    return {key: _merged(several) for key, several in same.items()}


def keyed(answer: Answer) -> dict[str, Match]:
    """The matches of an answer by normalized URL."""
    if answer.keys is None:
        return by_key(answer.matches)
    return dict(zip(answer.keys, answer.matches, strict=True))


def _merged(several: Sequence[Match]) -> Match:
    if len(several) == 1:
        return several[0]
    worst = min(several, key=lambda match: _WORST.index(match.kind))
    pages = dict.fromkeys(page for match in several for page in match.pages)
    return replace(worst, pages=tuple(pages))


def encoded_pages(pages: tuple[str, ...]) -> bytes | None:
    """Encode the pages of a match for its row."""
    return _ENCODER.encode(pages) if pages else None


def decoded_pages(pages: bytes | None) -> tuple[str, ...]:
    """Decode the pages of a match from its row."""
    return _PAGES.decode(pages) if pages else ()
