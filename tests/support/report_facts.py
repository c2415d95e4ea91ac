"""A report of a run that went half well, as the starting point of a test."""

from datetime import date
from typing import Any

import msgspec

from batchscan.enums import ExitReason, Status
from batchscan.report import Latency, Report, build
from batchscan.report.schema import NOTHING_ASKED, Run
from batchscan.report_sections import (
    NO_MATCHES,
    AllowRule,
    Domain,
    MatchedPicture,
    Matches,
    MatchSummary,
)
from batchscan.tally import Tally
from batchscan.util.escaping import path_fields, replace_surrogates


def match_totals(*numbers: int, **named: int) -> Matches:
    """Totals in the order of their fields; those that are not given are none."""
    given = dict(zip(Matches.__struct_fields__, numbers, strict=False))
    return msgspec.structs.replace(NO_MATCHES, **given, **named)


def domain_count(
    domain: str, images: int, full: int, partial: int, *more: int, **named: int
) -> Domain:
    """What a domain shows: after the kinds come new, allowed, worklist."""
    rest = {"new": 0, "allowed": 0, "worklist": 0}
    rest |= dict(zip(rest, more, strict=False)) | named
    return Domain(
        domain=replace_surrogates(domain), images=images, full=full, partial=partial, **rest
    )


def picture_summary(
    path: bytes, full: int, partial: int, total: int, **named: Any
) -> MatchedPicture:
    """One matched picture of a report."""
    name, name_b64 = path_fields(path)
    given: dict[str, Any] = {
        "sha256": "0" * 64,
        "new": 0,
        "allowed": 0,
        "worklist": 0,
        "scanned_at": "2026-11-23T18:02:37.000Z",
    }
    return MatchedPicture(
        path=name, path_b64=name_b64, full=full, partial=partial, total=total, **(given | named)
    )


def allow_rule(
    what: str,
    reason: str,
    by: str | None = None,
    until: date | None = None,
    *,
    expired: bool = False,
    covers: int = 0,
) -> AllowRule:
    """A rule as the reports show it."""
    return AllowRule(
        what=replace_surrogates(what),
        reason=replace_surrogates(reason),
        by=by and replace_surrogates(by),
        until=until.isoformat() if until else None,
        expired=expired,
        covers=covers,
    )


DIGEST = MatchSummary(
    matches=match_totals(images_with_matches=34, total=120, full=80, partial=38),
    run_matches=match_totals(images_with_matches=4, total=9, full=9, partial=0),
    domains=(domain_count("example.com", 12, 30, 4), domain_count("example.org", 1, 0, 1)),
    images=(picture_summary(b"/pics/\xe9.jpg", 12, 3, 15),),
)
NOTHING = MatchSummary()
API = msgspec.structs.replace(
    NOTHING_ASKED, requests=700, latency_ms=Latency(p50=1.0, p95=2.0, max=3.0), bytes_sent=12
)


RUN = Run(
    id="20261123T180237Z",
    roots=["/pics"],
    version="0.1.0",
    started_at="2026-11-23T18:02:37.000Z",
    finished_at="2026-11-23T18:02:40.250Z",
    duration_s=3.25,
    exit_code=0,
    exit_reason=ExitReason.OK,
    partial=False,
    dry_run=False,
    at_least_s=None,
    sandbox=False,
    message=None,
    advice=None,
)
_PRICES = ("rendition_price", "credit_price", "balance")


def books(**statuses: dict[str, int] | int) -> Tally:
    """Books that close: a number for each status, or numbers for each of its reasons."""
    tally = Tally()
    for status, counts in statuses.items():
        if isinstance(counts, dict):
            tally.reasons.update(counts)
        tally.statuses[Status(status)] += (
            sum(counts.values()) if isinstance(counts, dict) else counts
        )
    return tally


def report(tally: Tally, summary: MatchSummary = NOTHING, **changes) -> Report:
    """The report of `RUN`, with changes to the run, the prices or any section."""
    run = {name: changes.pop(name) for name in Run.__struct_fields__ if name in changes}
    prices = {name: changes.pop(name) for name in _PRICES if name in changes}
    built = build(msgspec.structs.replace(RUN, **run), tally, summary, **prices)
    return msgspec.structs.replace(built, **({"api": API} | changes))
