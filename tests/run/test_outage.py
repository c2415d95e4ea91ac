"""Outages of any length: pauses that are asked for, probes one at a time, and the end of patience."""

from __future__ import annotations

import asyncio
import signal

import pytest

from batchscan import Scan
from batchscan.emulator.fault_actions import AnswerInstead, Reset, RevokeTokens, Tear
from tests.support.fault_cells import (
    Told,
    check,
    finished_by_the_next_run,
    login,
    told_by,
)
from tests.support.wire import Passage, Wire, let_through

HOUR = 3600.0
DAY = 86_400.0
DAYS = 30 * DAY
MALFORMED = ("", "soon", "-5", "1e9", "nan", "inf", "0x10", "1 2", "Thu, 32 Nov 2026")


async def test_a_malformed_retry_after_is_the_services_and_not_the_pictures_fault(bench):
    bench.pictures(len(MALFORMED))
    bench.emulator.faults = tuple(
        check(
            AnswerInstead(status=429, headers={"Retry-After": value}),
            file_name=f"p{n:03}*",
            count=1,
        )
        for n, value in enumerate(MALFORMED)
    )
    first = await bench.scan(api={"retry_for": DAYS, "attempts": 1}, pace={"concurrency": 1})

    assert first.exit_code == 0
    assert first.report.api.rate_limited == len(MALFORMED)
    assert bench.charged() == len(MALFORMED)


@pytest.mark.parametrize(
    ("status", "value"),
    [(429, "7200"), (503, "9" * 40), (429, "Fri, 31 Dec 9999 23:59:59 GMT")],
)
async def test_a_huge_retry_after_ends_the_run_and_is_kept_for_an_hour(bench, status, value):
    bench.pictures(4)
    bench.emulator.faults = (check(AnswerInstead(status=status, headers={"Retry-After": value})),)
    first = await bench.scan(api={"retry_for": 900.0})

    assert told_by(first) == Told(8, {"deferred": 4}, "unavailable")
    sent = len(bench.checks())
    assert sent <= 4
    second = await bench.scan(api={"retry_for": 900.0})
    assert told_by(second) == Told(8, {"deferred": 4}, "unavailable")
    assert len(bench.checks()) == sent
    bench.clock.skip(3600)
    await finished_by_the_next_run(bench, first)
    assert bench.charged() == 4


async def test_a_huge_retry_after_within_retry_for_is_waited_out_and_nothing_is_sent(bench):
    bench.pictures(3)
    busy = AnswerInstead(status=429, headers={"Retry-After": "7200"})
    bench.emulator.faults = (check(busy, nth=1),)
    before = bench.clock.monotonic()
    first = await bench.scan(api={"retry_for": DAYS}, pace={"concurrency": 1})

    assert first.exit_code == 0
    assert bench.clock.monotonic() - before >= 7200
    assert len(bench.checks()) == 4


async def test_many_429s_are_waited_out_and_do_not_count_as_attempts(bench):
    bench.pictures(12)
    bench.emulator.faults = (check(AnswerInstead(status=429), count=80),)
    first = await bench.scan(api={"retry_for": DAYS, "attempts": 1})

    assert first.exit_code == 0
    assert first.report.api.rate_limited == 80
    assert (len(bench.checks()), bench.charged()) == (92, 12)


OUTAGES = {
    "503": AnswerInstead(status=503),
    "500": AnswerInstead(status=500, body="html"),
    "reset after": Reset(when="after"),
    "torn": Tear(),
}
QUARTER = 900.0


@pytest.mark.parametrize("kind", OUTAGES)
async def test_an_outage_is_waited_out_and_everything_is_answered(bench_with, kind):
    async with bench_with() as bench:
        bench.pictures(12)
        start = bench.clock.monotonic()
        bench.emulator.faults = (check(OUTAGES[kind], until=QUARTER),)
        first = await bench.scan(api={"retry_for": DAYS})

        assert told_by(first).statuses == {"scanned": 12}
        assert bench.clock.monotonic() - start >= QUARTER
        assert probes_within(QUARTER, len(bench.checks()) - 12)
        assert bench.charged() == first.report.credits.charged == 12
        await bench.scan()
        assert bench.charged() == 12


@pytest.mark.parametrize("kind", OUTAGES)
async def test_an_outage_beyond_retry_for_exits_8_and_the_next_run_asks_for_all(bench, kind):
    bench.pictures(12)
    bench.emulator.faults = (check(OUTAGES[kind]),)
    first = await bench.scan(api={"retry_for": QUARTER})

    assert first.exit_code == 8
    assert first.report.run.exit_reason == "unavailable"
    asked = {entry.sha256 for entry in bench.checks()}
    perhaps = len(asked) if kind != "503" else 0
    expected = {"unavailable": 12 - perhaps, "outcome_unknown": perhaps}
    assert first.reasons() == {reason: n for reason, n in expected.items() if n}
    assert probes_within(QUARTER, len(bench.checks()))
    second = await finished_by_the_next_run(bench, first)
    assert second.report.credits.charged == bench.charged() == 12


def probes_within(seconds: float, requests: int) -> bool:
    """Those under way at first, then one after 1, 2, 4... and then every 60 s at most."""
    return requests <= 8 + 7 + seconds / 60


@pytest.mark.parametrize(
    ("concurrency", "seconds"),
    [(1, HOUR), (8, HOUR), pytest.param(8, 6 * HOUR, marks=pytest.mark.slow)],
)
async def test_a_long_outage_costs_a_request_a_minute(bench_with, concurrency, seconds):
    async with bench_with() as bench:
        bench.pictures(12)
        bench.emulator.faults = (check(AnswerInstead(status=503), until=seconds),)
        pace = {"concurrency": concurrency}
        first = await bench.scan(api={"retry_for": DAYS, "attempts": 1}, pace=pace)

        assert told_by(first) == Told(0, {"scanned": 12})
        assert bench.charged() == 12
        assert probes_within(seconds, len(bench.checks()) - 12)


async def test_one_probe_at_a_time_goes_out_and_then_the_pool_resumes(bench_with):
    async def fail(passage: Passage) -> None:
        await asyncio.sleep(0.01)  # so that those under way at once would meet
        passage.cut()

    async with bench_with(latency=0.05) as bench, Wire(bench.emulator.url) as wire:
        bench.pictures(40)
        wire.once = [fail] * 20
        first = await bench.scan(api=wire.api(retry_for=DAYS))

        assert told_by(first).statuses == {"scanned": 40}
        assert max(wire.under_way[:8]) > 1
        assert set(wire.under_way[12:21]) == {1}  # the last of them finds the service back
        assert max(wire.under_way[21:]) > 1


async def test_a_service_that_nobody_can_reach_for_hours_is_found_again(bench):
    async with Wire(bench.emulator.url) as wire:
        bench.pictures(20)

        async def cut_the_line() -> None:
            await wire.down()
            await bench.clock.wait(asyncio.Event(), HOUR)
            await wire.up()

        async def fall_after_five(passage: Passage) -> None:
            await let_through(passage)
            if len(bench.checks()) == 5:
                falling.append(asyncio.create_task(cut_the_line()))

        falling: list[asyncio.Task[None]] = []
        wire.script = fall_after_five
        first = await bench.scan(api=wire.api(retry_for=DAYS), pace={"concurrency": 1})

        assert len(falling) == 1
        assert told_by(first) == Told(0, {"scanned": 20})
        assert bench.charged() == 20


async def test_an_outage_of_the_login_midway_is_waited_out_too(bench):
    bench.pictures(10)
    bench.emulator.faults = (
        check(RevokeTokens(), nth=4),
        *(login(AnswerInstead(status=503), nth=n) for n in range(2, 9)),
    )
    api = {"retry_for": DAYS, "attempts": 1}
    first = await bench.scan(api=api)

    assert told_by(first) == Told(0, {"scanned": 10})
    assert len(bench.emulator.journal.of("login")) == 9
    assert bench.charged() == 10


@pytest.mark.parametrize("kind", OUTAGES)
async def test_a_signal_during_an_outage_does_not_wait_for_its_end(bench, kind):
    bench.pictures(12)
    bench.emulator.faults = (check(OUTAGES[kind]),)
    async with Scan(bench.settings(api={"retry_for": DAYS})) as run:
        while "not available" not in (run.progress().waiting or ""):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
        run.request_stop(signal.SIGTERM)
    ran = bench.ran(run.report)

    assert ran.exit_code == 143
    assert set(ran.reasons()) <= {"interrupted", "outcome_unknown"}
    assert len(ran.lines) == ran.report.files.seen <= 12
    await finished_by_the_next_run(bench, ran)


async def test_the_end_of_the_allowed_duration_ends_an_outage(bench):
    bench.pictures(12)
    bench.emulator.faults = (check(AnswerInstead(status=503)),)
    changes = {"api": {"retry_for": DAYS}, "spend": {"max_duration": 600.0}}
    first = await bench.scan(**changes)

    assert told_by(first) == Told(5, {"deferred": 12}, "duration")
    await finished_by_the_next_run(bench, first)


async def test_the_longest_duration_ends_a_pause_that_the_service_asked_for(bench):
    bench.pictures(5)
    bench.emulator.faults = (check(AnswerInstead(status=429, headers={"Retry-After": "600"})),)
    ran = await bench.scan(api={"retry_for": 3600.0}, spend={"max_duration": 30.0})

    assert ran.exit_code == 5
    assert ran.reasons() == {"duration": 5}
    assert ran.report.run.duration_s < 40.0
