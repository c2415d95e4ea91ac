"""A cell of the fault table: a first run into a fault, and a second one with the fault gone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from batchscan.emulator import Fault
from tests.support.bench import Bench, Ran

PATIENT = {"retry_for": 86_400.0}  # no cell ends because a machine is slow


@dataclass(frozen=True)
class Told:
    """What a run is expected to tell."""

    exit_code: int = 0
    statuses: dict[str, int] = field(default_factory=lambda: {"scanned": 1})
    reason: str | None = None
    unknown: int = 0  # credits that may have been charged without an answer


def told_by(ran: Ran) -> Told:
    reasons = ran.reasons()
    assert len(reasons) <= 1
    return Told(
        exit_code=ran.exit_code,
        statuses=dict(ran.statuses()),
        reason=next(iter(reasons), None),
        unknown=ran.report.credits.outcome_unknown,
    )


def check(action, **when) -> Fault:
    return Fault(route="check", action=action, **when)


def login(action, **when) -> Fault:
    return Fault(route="login", action=action, **when)


def asked(bench: Bench) -> Counter[str]:
    """How often the emulator was asked under each scan id, with a token that is good."""
    checks = bench.checks()
    return Counter(entry.scan_id for entry in checks if entry.scan_id and entry.status != 401)


async def finished_by_the_next_run(bench: Bench, first: Ran, **changes) -> Ran:
    """Run again with the fault gone: all is answered, and nothing that was is asked for again."""
    before = asked(bench)
    final = {
        name: line.scan_id
        for name, line in first.lines.items()
        if line.status in ("scanned", "reused", "rejected")
    }
    bench.emulator.faults = ()
    second = await bench.scan(**changes)

    assert second.exit_code == 0
    assert second.report.credits.outcome_unknown == 0
    assert set(second.lines) == set(first.lines) - set(final)
    assert second.report.files.unchanged == len(final)
    assert set(second.statuses()) <= {"scanned"}
    again = asked(bench) - before
    assert again == Counter(line.scan_id for line in second.lines.values())
    assert not set(again) & set(final.values())
    return second


def nothing_is_lost(bench: Bench, *runs: Ran) -> None:
    """What the account paid is what the books say, give or take what may have been charged."""
    charged = sum(ran.report.credits.charged for ran in runs)
    unknown = sum(ran.report.credits.outcome_unknown for ran in runs)
    assert bench.charged() <= charged + unknown
    assert charged <= bench.charged() + unknown
