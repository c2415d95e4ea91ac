"""The digest of a run for people: one message with totals and the worst matches."""

from __future__ import annotations

import heapq
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from batchscan.alerts.payload import SCHEMA, Body, NewMatch, match_json, message_id, read_body
from batchscan.enums import MatchEvent, MatchKind
from batchscan.ledger import MatchEventRecord
from batchscan.util.escaping import replace_surrogates

MAX_SITES = 20
"""Named with their totals; of the others only how many there are."""

MAX_WORST = 10
"""Matches that are named."""


class SiteTotals(msgspec.Struct, frozen=True, kw_only=True):
    """New matches on one site."""

    domain: str
    full: int = 0
    partial: int = 0
    other: int = 0

    @property
    def matches(self) -> int:
        """Matches of all kinds."""
        return self.full + self.partial + self.other


class Digest(msgspec.Struct, frozen=True, kw_only=True):
    """The JSON body of one message for all matches of a run, in place of many messages."""

    schema: Literal[1] = SCHEMA
    id: str
    run_id: str
    event: Literal["digest"] = "digest"
    pictures: int
    matches: int
    full: int
    partial: int
    other: int
    returned: int  # of them came back
    grown: int  # of them were partial copies before
    sites: list[SiteTotals]  # the worst first
    more_sites: int
    worst: list[NewMatch]  # the worst first
    report: str | None  # the path of the run's report


@dataclass(slots=True)
class DigestBuilder:
    """Counts the matches of a digest, the worst first."""

    kinds: Counter[MatchKind] = field(default_factory=Counter)
    events: Counter[MatchEvent] = field(default_factory=Counter)
    sites: dict[str, Counter[MatchKind]] = field(default_factory=dict)
    pictures: set[bytes] = field(default_factory=set)
    worst: list[bytes] = field(default_factory=list)

    def watch(self, records: Iterable[MatchEventRecord]) -> Iterator[MatchEventRecord]:
        """Count records while they are passed on."""
        for news in records:
            self.kinds[news.match.kind] += 1
            self.events[news.event] += 1
            self.sites.setdefault(news.match.domain, Counter())[news.match.kind] += 1
            self.pictures.add(bytes.fromhex(news.sha256))
            if len(self.worst) < MAX_WORST:
                self.worst.append(match_json(news))
            yield news

    def body(self, target: str, run_id: str, folder: str | None) -> tuple[str, bytes]:
        """The message for a target, and what it is called: always the same for the same one."""
        report = replace_surrogates(os.path.join(folder, "report.html")) if folder else None
        sites = [_site(domain, kinds) for domain, kinds in self.sites.items()]
        worst = heapq.nsmallest(MAX_SITES, sites, key=_badness)
        digest = Digest(
            id="",
            run_id=run_id,
            pictures=len(self.pictures),
            matches=self.kinds.total(),
            full=self.kinds[MatchKind.FULL],
            partial=self.kinds[MatchKind.PARTIAL],
            other=self.kinds[MatchKind.OTHER],
            returned=self.events[MatchEvent.RETURNED],
            grown=self.events[MatchEvent.FULL],
            sites=worst,
            more_sites=len(sites) - len(worst),
            worst=[msgspec.json.decode(match, type=NewMatch) for match in self.worst],
            report=report,
        )
        name = message_id(target, run_id, 1, msgspec.json.encode(digest))
        return name, msgspec.json.encode(msgspec.structs.replace(digest, id=name))


def read_message(body: bytes) -> Body | Digest:
    """A message that was made here, also by an earlier version."""
    if msgspec.json.decode(body, type=_Event).event == "digest":
        return msgspec.json.decode(body, type=Digest)
    return read_body(body)


class _Event(msgspec.Struct):
    event: str


def _site(domain: str, kinds: Counter[MatchKind]) -> SiteTotals:
    return SiteTotals(
        domain=replace_surrogates(domain),
        full=kinds[MatchKind.FULL],
        partial=kinds[MatchKind.PARTIAL],
        other=kinds[MatchKind.OTHER],
    )


def _badness(site: SiteTotals) -> tuple[int, int, int, str]:
    return -site.full, -site.partial, -site.other, site.domain
