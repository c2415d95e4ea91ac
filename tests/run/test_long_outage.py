"""Outages that reach a host: a probe's failure is not its picture's."""

from __future__ import annotations

import pytest

from batchscan.emulator.fault_actions import AnswerInstead, Reset, Tear
from tests.support.fault_cells import check, told_by

DAYS = 30 * 86_400.0
HOUR = 3600.0
OUTAGES = {
    "500": AnswerInstead(status=500, body="html"),
    "reset after": Reset(when="after"),
    "torn": Tear(),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", OUTAGES)
@pytest.mark.parametrize("concurrency", [4, 8])
async def test_an_outage_of_an_hour_is_waited_out_and_everything_is_answered(
    bench_with, kind, concurrency
):
    async with bench_with() as bench:
        bench.pictures(12)
        bench.emulator.faults = (check(OUTAGES[kind], until=HOUR),)
        pace = {"concurrency": concurrency}
        first = await bench.scan(api={"retry_for": DAYS}, pace=pace)

        assert told_by(first).statuses == {"scanned": 12}
        assert bench.charged() == 12


@pytest.mark.parametrize("concurrency", [4, 8])
async def test_an_outage_beyond_retry_for_defers_every_picture(bench, concurrency):
    bench.pictures(12)
    bench.emulator.faults = (check(OUTAGES["500"]),)
    pace = {"concurrency": concurrency}
    first = await bench.scan(api={"retry_for": HOUR}, pace=pace)

    asked = {entry.sha256 for entry in bench.checks()}
    assert first.exit_code == 8
    assert first.reasons() == {"unavailable": 12 - len(asked), "outcome_unknown": len(asked)}
    assert first.report.credits.outcome_unknown == len(bench.checks())


async def test_an_outage_beyond_retry_for_reports_the_last_error(bench):
    bench.pictures(3)
    api = {"url": "https://nobody.invalid", "retry_for": 30.0}
    first = await bench.scan(api=api)

    assert "nobody.invalid" in first.report.run.message
