"""The machine's clock steps, or the machine sleeps: while a run is on, and between two."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE

import pytest

from batchscan import Rate, Scan
from batchscan.emulator import Fault
from batchscan.emulator.fault_actions import AnswerInstead, Reset
from tests.support.clocks import SkippingClock
from tests.support.pictures import png, tree
from tests.support.stepping import DAY, HOUR, SteppingClock, scan, steps


@pytest.mark.parametrize("step", [DAY, -DAY])
async def test_a_clock_that_steps_by_a_day_midway_changes_nothing_but_the_times(bench, step):
    bench.pictures(40)
    clock = SteppingClock(bench.clock)
    ran = await scan(bench, clock, steps(clock, step), pace={"concurrency": 4})

    assert ran.exit_code == 0
    assert ran.statuses() == {"scanned": 40}
    assert bench.charged() == 40
    assert ran.report.api.retries == ran.report.credits.outcome_unknown == 0
    assert ran.report.api.logins <= 2  # a token from the future is not trusted
    assert ran.report.run.duration_s >= 0
    assert all(0 <= line.elapsed_ms < HOUR * 1000 for line in ran.lines.values())


@pytest.mark.parametrize("step", [DAY, -DAY, 400 * DAY])
async def test_a_clock_that_stepped_between_two_runs_pays_for_nothing_again(bench, step):
    bench.pictures(5)
    await bench.scan(SteppingClock(bench.clock))
    tree(bench.images, {"new.png": png(16, 16, 99)})
    later = await bench.scan(SteppingClock(bench.clock, step))
    back = await bench.scan(SteppingClock(bench.clock))

    assert (later.report.files.unchanged, later.report.files.scanned) == (5, 1)
    assert (back.report.files.unchanged, back.lines) == (6, {})
    assert later.exit_code == back.exit_code == 0
    assert bench.charged() == 6
    assert (bench.folder / "output" / "latest").resolve().name == back.report.run.id


@pytest.mark.slow
async def test_the_last_run_is_the_one_that_ended_last_whatever_its_clock_said(bench):
    bench.pictures(2)
    await bench.scan(SteppingClock(bench.clock, DAY))
    tree(bench.images, {"new.png": png(16, 16, 99)})
    last = await bench.scan(SteppingClock(bench.clock))
    results = bench.folder / "output" / "runs" / last.report.run.id / "results.jsonl"
    kept = {path: path.read_bytes() for path in bench.folder.glob("output/runs/*/results.jsonl")}
    words = ("report", "--write", "--json", "--state", str(bench.folder / "state"))
    shown = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "batchscan", *words, stdout=PIPE, stderr=PIPE
    )
    out, err = await shown.communicate()

    assert shown.returncode == 0, err
    assert json.loads(out)["run"]["id"] == last.report.run.id
    assert len(kept[results].splitlines()) == 1
    assert {path: path.read_bytes() for path in kept} == kept


@pytest.mark.parametrize("step", [-DAY, DAY])
async def test_a_pause_learned_before_the_clock_stepped_does_not_last_a_day(bench, step):
    bench.pictures(3)
    refuse = AnswerInstead(status=429, headers={"Retry-After": "5"})
    bench.emulator.faults = (Fault(route="check", count=1, action=refuse),)
    first = await bench.scan(SteppingClock(bench.clock), api={"attempts": 1})
    tree(bench.images, {"new.png": png(16, 16, 99)})
    second = await bench.scan(SteppingClock(bench.clock, step))

    assert first.report.api.rate_limited == 1
    assert (second.exit_code, second.statuses()) == (0, {"scanned": 1})


async def test_a_long_window_holds_though_the_clock_went_back_between_two_runs(bench):
    pace = {"rate": (Rate(3, 12.0),), "concurrency": 4}
    bench.pictures(3)
    await bench.scan(SteppingClock(bench.clock), pace=pace)
    first = [entry.at for entry in bench.checks()]
    tree(bench.images, {"new.png": png(16, 16, 99)})
    await bench.scan(SteppingClock(bench.clock, -DAY), pace=pace)

    assert bench.checks()[-1].at - first[-3] >= 12.0 * 0.99


@pytest.mark.slow
@pytest.mark.parametrize("monotonic", [0.0, HOUR], ids=["monotonic-stands", "monotonic-runs"])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_machine_that_slept_for_an_hour_goes_on_over_new_connections(
    bench, monotonic, when
):
    """Whether sleep counts for the monotonic clock is the system's affair."""
    bench.pictures(20)
    clock = SteppingClock(bench.clock)

    def sleep() -> None:
        steps(clock, HOUR, monotonic)()
        lost = Reset(when=when)
        bench.emulator.faults = (Fault(route="check", count=4, action=lost),)

    ran = await scan(bench, clock, sleep, pace={"concurrency": 4}, api={"retry_for": 900.0})

    assert ran.exit_code == 0
    assert ran.statuses() == {"scanned": 20}
    assert bench.charged() == 20
    assert ran.report.api.retries == 4
    assert ran.report.credits.outcome_unknown <= 4
    assert when == "before" or ran.report.credits.outcome_unknown == 4


async def test_sleep_that_counts_ends_a_run_of_limited_duration(bench):
    bench.pictures(20)
    clock = SteppingClock(bench.clock)
    ran = await scan(
        bench,
        clock,
        steps(clock, HOUR, HOUR),
        pace={"concurrency": 2},
        spend={"max_duration": 1800.0},
    )

    assert ran.exit_code == 5
    assert ran.reasons()["duration"] == 20 - bench.charged() > 0


class StoppedClock(SkippingClock):
    """A wall clock that shows one time for ever."""

    def wall(self) -> float:
        return 1_800_000_000.0


async def test_two_runs_of_one_second_have_two_ids_though_their_outputs_are_apart(bench):
    bench.pictures(2)
    first = await bench.scan(StoppedClock())
    async with Scan(
        bench.settings(output={"directory": str(bench.folder / "other")}), StoppedClock()
    ) as run:
        assert [outcome async for outcome in run] == []

    assert first.report.run.id == "20270115T080000Z"
    assert run.report.run.id == "20270115T080000Z-2"
    assert (run.exit_code, run.report.files.unchanged) == (0, 2)
