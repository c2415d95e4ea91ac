"""What is asked again, by --force and --rescan-after, whatever the machine's clock says."""

from __future__ import annotations

import pytest

from tests.support.bench import Bench
from tests.support.pictures import png, tree
from tests.support.stepping import DAY, HOUR, SteppingClock, scan, steps

FORCED = {"force": True}
OF_THE_LAST_HOUR = {"scan": {"rescan_after": HOUR}}


def pictures_and_a_twin(bench: Bench) -> None:
    """Twelve contents; the last one comes again when everything else is decided."""
    tree(bench.images, {f"p{n:02}.png": png(16, 16, n) for n in range(12)})
    tree(bench.images, {"z-twin.png": png(16, 16, 11)})


@pytest.mark.parametrize("step", [-DAY, 0.0, DAY])
async def test_force_asks_again_whatever_the_clock_did_since(bench, step):
    bench.pictures(2)
    await bench.scan(SteppingClock(bench.clock))
    planned = await bench.scan(SteppingClock(bench.clock, step), force=True, dry_run=True)
    forced = await bench.scan(SteppingClock(bench.clock, step), force=True)

    assert planned.reasons() == {"dry_run": 2}
    assert forced.statuses() == {"scanned": 2}
    assert bench.charged() == 4


async def test_what_force_asked_again_is_in_the_next_run_though_the_clock_was_behind(bench):
    bench.pictures(2)
    await bench.scan(SteppingClock(bench.clock))
    await bench.scan(SteppingClock(bench.clock, -DAY), force=True)
    after = await bench.scan(SteppingClock(bench.clock))

    assert after.report.files.unchanged == 2
    assert bench.charged() == 4


@pytest.mark.slow
@pytest.mark.parametrize("step", [-DAY, DAY])
@pytest.mark.parametrize("again", [FORCED, OF_THE_LAST_HOUR], ids=["force", "rescan-after"])
async def test_twins_are_paid_once_though_the_clock_steps_midway(bench, again, step):
    pictures_and_a_twin(bench)
    await bench.scan(SteppingClock(bench.clock, -400 * DAY))
    clock = SteppingClock(bench.clock)
    ran = await scan(bench, clock, steps(clock, step), pace={"concurrency": 1}, **again)

    assert ran.statuses() == {"scanned": 12, "reused": 1}
    assert bench.charged() == 24


async def test_rescan_after_asks_again_about_old_answers_only(bench):
    bench.pictures(2)
    await bench.scan(SteppingClock(bench.clock, -2 * HOUR))
    bench.pictures(1, start=2)
    await bench.scan(SteppingClock(bench.clock))
    ran = await bench.scan(SteppingClock(bench.clock), **OF_THE_LAST_HOUR)

    assert (ran.report.files.unchanged, ran.statuses()) == (1, {"scanned": 2})
    assert bench.charged() == 5


async def test_rescan_after_takes_an_answer_from_the_future_for_one_just_received(bench):
    bench.pictures(2)
    await bench.scan(SteppingClock(bench.clock, DAY))
    tree(bench.images, {"twin.png": png(16, 16, 1)})
    ran = await bench.scan(SteppingClock(bench.clock), **OF_THE_LAST_HOUR)

    assert (ran.report.files.unchanged, ran.statuses()) == (2, {"reused": 1})
    assert bench.charged() == 2
