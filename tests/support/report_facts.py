"""A report of a run that went half well, as the starting point of a test."""

from typing import Any

from batchscan.enums import ExitReason, Status
from batchscan.report import ApiFacts, Latency, Report, RunFacts, build
from batchscan.report_sections import DomainCount, MatchSummary, MatchTotals, PictureSummary
from batchscan.tally import Tally

DIGEST = MatchSummary(
    matches=MatchTotals(images_with_matches=34, total=120, full=80, partial=38),
    run_matches=MatchTotals(images_with_matches=4, total=9, full=9, partial=0),
    domains=(DomainCount("example.com", 12, 30, 4), DomainCount("example.org", 1, 0, 1)),
    images=(PictureSummary(b"/pics/\xe9.jpg", "0" * 64, 12, 3, 15, 1_795_456_957.0),),
)
NOTHING = MatchSummary()
API = ApiFacts(requests=700, latency=Latency(p50=1.0, p95=2.0, max=3.0), bytes_sent=12)


def facts(**changes) -> RunFacts:
    given: dict[str, Any] = {
        "id": "20261123T180237Z",
        "roots": ("/pics",),
        "version": "0.1.0",
        "started_at": 1_795_456_957.0,
        "finished_at": 1_795_456_960.25,
        "exit_code": 0,
        "exit_reason": ExitReason.OK,
    }
    return RunFacts(**(given | changes))


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


def report(tally: Tally, digest: MatchSummary = NOTHING, **changes) -> Report:
    return build(facts(**changes), tally, digest, API)
