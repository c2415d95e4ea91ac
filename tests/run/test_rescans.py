"""Asking again: after all that is new, the oldest answers first, within what may be spent."""

from __future__ import annotations

import hashlib
import itertools
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.bench import FAST
from tests.support.clocks import DAY, LaterClock
from tests.support.pictures import jpeg, png, tree
from tests.support.processes import Process, until

MONTH_OLD = {"rescan_after": 30 * DAY}


def asked(bench, since: int = 0) -> list[str]:
    """The pictures that were asked about, by name, in order."""
    names = {
        hashlib.sha256(path.read_bytes()).hexdigest(): path.name
        for path in bench.images.rglob("*")
        if path.is_file()
    }
    return [names[entry.sha256] for entry in bench.checks()[since:]]


async def test_what_is_new_is_asked_first_and_then_the_oldest_answers(bench):
    one_by_one = {"pace": {"concurrency": 1, "rate": FAST}}
    for day, name in enumerate(["c.png", "a.png", "b.png"]):
        tree(bench.images, {name: png(16, 16, day)})
        await bench.scan(LaterClock(day), **one_by_one)
    tree(bench.images, {"z-new.png": png(16, 16, 9), "0-new.png": png(16, 16, 10)})
    before = len(bench.checks())
    ran = await bench.scan(LaterClock(40), scan=MONTH_OLD, **one_by_one)

    assert asked(bench, before) == ["0-new.png", "z-new.png", "c.png", "a.png", "b.png"]
    assert ran.statuses() == {"scanned": 5}


async def test_a_moved_picture_whose_answer_is_old_waits_for_what_is_new(bench):
    tree(bench.images, {"a.png": png(16, 16, 1)})
    await bench.scan(LaterClock())
    (bench.images / "a.png").rename(bench.images / "0-moved.png")
    tree(bench.images, {"new.png": png(16, 16, 2)})
    before = len(bench.checks())
    one_by_one = {"pace": {"concurrency": 1, "rate": FAST}}
    ran = await bench.scan(LaterClock(40), scan=MONTH_OLD, **one_by_one)

    assert asked(bench, before) == ["new.png", "0-moved.png"]
    assert ran.statuses() == {"scanned": 2}


async def test_a_library_larger_than_the_budget_is_asked_again_evenly(bench):
    bench.pictures(6)
    await bench.scan(LaterClock())
    budget = {"scan": MONTH_OLD, "spend": {"max_credits": 2}}
    runs = [await bench.scan(LaterClock(40 + n), **budget) for n in range(4)]

    assert [ran.report.files.scanned for ran in runs] == [2, 2, 2, 0]
    assert [ran.report.files.deferred for ran in runs] == [4, 2, 0, 0]
    assert [ran.exit_code for ran in runs] == [5, 5, 0, 0]
    assert sorted(asked(bench, 6)) == sorted(asked(bench)[:6])


async def test_a_days_budget_is_shared_by_all_runs_of_that_day_and_new_the_next(bench):
    bench.pictures(7)
    a_day = {"spend": {"per_day": 3}}
    runs = [await bench.scan(LaterClock(days), **a_day) for days in (0, 0, 1, 1, 2)]

    assert [ran.report.files.scanned for ran in runs] == [3, 0, 3, 0, 1]
    assert [ran.exit_code for ran in runs] == [5, 5, 5, 5, 0]
    reasons = {line.detail for line in runs[0].lines.values() if line.reason == "budget"}
    assert all("spend.per_day of 3 credits is used up until" in str(why) for why in reasons)


async def test_a_months_budget_is_spread_over_its_days_for_what_is_asked_again(bench):
    bench.pictures(8)
    await bench.scan(LaterClock())
    budget = {"scan": MONTH_OLD, "spend": {"per_month": 31}}
    now = datetime.now(UTC)
    second = (now.replace(day=1) + timedelta(days=70)).replace(day=2)
    ran = await bench.scan(LaterClock((second - now).days), **budget)

    assert ran.report.files.scanned == 2  # of 31 for the 27 to 30 days that are left
    assert ran.exit_code == 5
    reasons = {line.detail for line in ran.lines.values() if line.reason == "budget"}
    assert all("even share of spend.per_month" in str(why) for why in reasons)


async def test_pictures_with_matches_are_asked_sooner_where_that_is_wished(bench_with, tmp_path):
    web = tmp_path / "web"
    tree(web, {"site/copy.jpg": jpeg(96, 64, 1)})
    async with bench_with(web=web, search=True) as bench:
        tree(bench.images, {"clean.jpg": jpeg(96, 64, 2), "copied.jpg": jpeg(96, 64, 1)})
        await bench.scan(LaterClock())
        sooner = {"scan": MONTH_OLD, "spend": {"matched_first": True}}
        at_once = await bench.scan(LaterClock(10), **sooner)
        halfway = await bench.scan(LaterClock(16), **sooner)
        later = await bench.scan(LaterClock(31), scan=MONTH_OLD)

    assert at_once.report.files.scanned == 0
    assert asked(bench, 2)[0] == "copied.jpg"
    assert halfway.report.files.scanned == 1
    assert later.report.files.scanned == 1


async def test_a_deferred_rescan_keeps_its_matches_in_the_report(bench_with, tmp_path):
    web = tmp_path / "web"
    tree(web, {"site/copy.jpg": jpeg(96, 64, 1)})
    async with bench_with(web=web, search=True) as bench:
        tree(bench.images, {"copied.jpg": jpeg(96, 64, 1)})
        first = await bench.scan(LaterClock())
        later = await bench.scan(LaterClock(40), scan=MONTH_OLD, spend={"max_credits": 0})

    assert later.report.files.deferred == 1
    assert later.report.matches.total == first.report.matches.total == 1


@pytest.mark.parametrize(
    ("spend", "days"),
    [({"per_day": 2}, 3), ({"per_month": 61}, 3), ({"max_credits": 5}, 1), ({}, None)],
)
async def test_a_dry_run_estimates_when_all_pictures_will_have_been_asked_again(bench, spend, days):
    bench.pictures(5)
    ran = await bench.scan(dry_run=True, spend=spend)

    assert ran.report.run.round_days == days
    assert ran.exit_code == 0


async def test_files_with_the_same_bytes_are_asked_again_once(bench):
    tree(bench.images, {"a.png": png(16, 16, 1), "sub/twin.png": png(16, 16, 1)})
    await bench.scan(LaterClock())
    ran = await bench.scan(LaterClock(40), scan=MONTH_OLD)

    assert ran.statuses() == {"scanned": 1, "reused": 1}
    assert len(bench.checks()) == 2
    assert (await bench.scan(LaterClock(41), scan=MONTH_OLD)).report.files.unchanged == 2


async def test_many_rescans_over_many_folders_are_each_asked_once(bench):
    folders = itertools.product(range(6), range(4))
    tree(bench.images, {f"{a}/{b}.png": png(8, 8, 10 * a + b) for a, b in folders})
    await bench.scan(LaterClock())
    ran = await bench.scan(LaterClock(40), scan=MONTH_OLD)

    assert ran.report.files.scanned == 24
    assert len(bench.checks()) == 48


async def test_a_moved_picture_that_must_wait_keeps_its_matches_in_the_report(bench_with, tmp_path):
    web = tmp_path / "web"
    tree(web, {"site/copy.jpg": jpeg(96, 64, 1)})
    async with bench_with(web=web, search=True) as bench:
        tree(bench.images, {"copied.jpg": jpeg(96, 64, 1)})
        await bench.scan(LaterClock())
        (bench.images / "copied.jpg").rename(bench.images / "moved.jpg")
        later = await bench.scan(LaterClock(40), scan=MONTH_OLD, spend={"max_credits": 0})

    assert later.report.files.deferred == 1
    assert later.report.matches.total == later.report.matches.worklist == 1


async def test_what_a_killed_run_had_under_way_counts_against_the_days_budget(bench_with):
    async with bench_with(duplicate="rescan", latency=0.5) as bench:
        bench.pictures(6)
        bench.folder.joinpath("c.yaml").write_text("spend: {per_day: 5}\n")
        process = Process(bench)
        words = ("-c", str(bench.folder / "c.yaml"), "-q", "-j", "3", "--rate", "1000/s")
        # The first goes alone, until its answer shows the price
        scan = await process.start(*words)
        await until(lambda: len(bench.checks()) >= 4)
        scan.kill()
        await scan.communicate()
        code, *_ = await process.run(*words)

    assert code == 5
    assert bench.charged() <= 5
