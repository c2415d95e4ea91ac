"""The process killed at every step between its start and its end, and the next run after it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest

from batchscan import Scan
from batchscan.emulator import Fault
from batchscan.emulator.fault_actions import Reset
from tests.support.killing import POINTS
from tests.support.pictures import png, tree
from tests.support.processes import (
    Process,
    assert_nothing_lost_or_doubled,
    killed_at,
    reports,
    until,
)
from tests.support.result_lines import read_lines

ONE_AFTER_THE_OTHER = ("-j", "1", "--rate", "1000/s", "-q")
CONTENTS = 4


@pytest.mark.parametrize("point", POINTS)
def test_each_point_is_a_function_that_exists(point):
    module, _, name = POINTS[point].partition(" ")[2].partition(":")

    assert callable(attrgetter(name)(import_module(module)))


@dataclass(frozen=True)
class Kill:
    """Where a run is killed, and what is true of it then."""

    point: str
    nth: int = 1
    charged: int = CONTENTS  # by the service, when everything that was sent has arrived
    kept: int = CONTENTS  # answers in the ledger
    doubtful: int = 0  # sent or about to be, without a word of how it ended


# The third picture is under way: a rejected file and two answers are behind it.
KILLS = (
    Kill("begun-after", charged=0, kept=0),
    Kill("login-answered", charged=0, kept=0),
    Kill("reserved", 3, charged=2, kept=2),
    Kill("slot-granted", 4, charged=2, kept=2),  # one slot was the login's
    Kill("claimed", 3, charged=2, kept=2),
    Kill("claim-committed", 3, charged=2, kept=2, doubtful=1),
    Kill("first-byte-leaving", 3, charged=2, kept=2, doubtful=1),
    Kill("last-byte-left", 4, charged=3, kept=2, doubtful=1),  # the login has a body too
    Kill("answer-received", 3, charged=3, kept=2, doubtful=1),
    Kill("answer-read", 3, charged=3, kept=2, doubtful=1),
    Kill("settled", 3, charged=3, kept=2, doubtful=1),
    Kill("settle-committed", 4, charged=3, kept=3),
    Kill("line-before", 4, charged=3, kept=3),
    Kill("line-after", 4, charged=3, kept=3),
    Kill("results-closed"),
    Kill("report-before"),
    Kill("report-after"),
    Kill("closing"),
)
# Next to another point, with nothing between that is paid for: CI kills there all the same.
FOLLOWING = {
    "login-answered",
    "reserved",
    "slot-granted",
    "claimed",
    "answer-read",
    "settled",
    "line-before",
    "results-closed",
    "report-before",
}
EVERY = [
    pytest.param(kill, id=kill.point, marks=[pytest.mark.slow] if kill.point in FOLLOWING else [])
    for kill in KILLS
]
UNDER_WAY = tuple(kill for kill in KILLS if kill.doubtful)


def pictures(bench) -> None:
    tree(bench.images, {f"p{n:02}.png": png(16, 16, n) for n in range(CONTENTS)})
    tree(bench.images, {"broken.png": b"junk", "twin.png": png(16, 16, 1)})


def run_folders(bench) -> list[Path]:
    return sorted((bench.folder / "output" / "runs").iterdir())


def statuses_of(folder: Path) -> dict[str, str]:
    lines = read_lines(str(folder / "results.jsonl"))
    return {os.path.basename(line.path): line.status.value for line in lines}


def assert_killed(report: dict[str, Any], folder: Path, kill: Kill) -> None:
    """A killed run's files are whole, and say no more than what is known."""
    run, files, credits_ = report["run"], report["files"], report["credits"]
    assert (run["exit_reason"], run["exit_code"], run["partial"]) == ("killed", None, True)
    assert (files["scanned"], files["failed"]) == (kill.kept, kill.doubtful)
    assert (credits_["charged"], credits_["outcome_unknown"]) == (kill.kept, kill.doubtful)
    assert kill.kept <= kill.charged <= kill.kept + kill.doubtful
    lines = statuses_of(folder)
    assert len(lines) == files["seen"]
    assert sorted(lines.values()).count("scanned") == kill.kept
    assert lines.get("broken.png", "rejected") == "rejected"


@pytest.mark.parametrize("kill", EVERY)
async def test_a_run_killed_at_any_step_is_closed_by_the_next_which_goes_on_where_it_stopped(
    bench, kill
):
    pictures(bench)
    await killed_at(bench, kill.point, kill.nth, *ONE_AFTER_THE_OTHER)
    await until(lambda: bench.charged() == kill.charged)
    ran = await bench.scan()
    killed, finished = reports(bench)

    assert ran.exit_code == 0
    assert_killed(killed, run_folders(bench)[0], kill)
    assert finished["files"]["scanned"] == CONTENTS - kill.kept
    assert finished["files"]["failed"] == finished["files"]["deferred"] == 0
    assert finished["credits"]["outcome_unknown"] == 0
    assert finished["files"]["seen"] == CONTENTS + 2
    assert bench.charged() == CONTENTS  # a lost answer came again under its id
    assert killed["credits"]["charged"] + finished["credits"]["charged"] == CONTENTS
    assert_nothing_lost_or_doubled(bench, CONTENTS, replayed=True)
    assert (bench.folder / "output" / "latest").resolve() == run_folders(bench)[1]


@pytest.mark.parametrize(
    "point",
    [
        pytest.param("mending-before", marks=pytest.mark.slow),
        pytest.param("mending-results", marks=pytest.mark.slow),
        "mending-report",
        pytest.param("mending-closed", marks=pytest.mark.slow),
    ],
)
async def test_a_run_killed_while_it_closes_a_killed_one_leaves_that_to_the_next(bench, point):
    pictures(bench)
    kill = next(kill for kill in KILLS if kill.point == "answer-received")
    await killed_at(bench, kill.point, kill.nth, *ONE_AFTER_THE_OTHER)
    await killed_at(bench, point, 1, *ONE_AFTER_THE_OTHER)
    ran = await bench.scan()

    assert ran.exit_code == 0
    assert_killed(reports(bench)[0], run_folders(bench)[0], kill)
    assert bench.charged() == CONTENTS
    assert_nothing_lost_or_doubled(bench, CONTENTS, replayed=True)


@pytest.mark.slow
async def test_a_run_killed_after_its_end_was_entered_is_a_finished_one(bench):
    pictures(bench)
    await killed_at(bench, "closed", 1, *ONE_AFTER_THE_OTHER)
    ran = await bench.scan()
    ended, again = reports(bench)

    assert ran.exit_code == 0
    assert (ended["run"]["exit_reason"], ended["run"]["partial"]) == ("ok", False)
    assert ended["files"]["scanned"] == CONTENTS
    assert again["files"]["unchanged"] == CONTENTS + 2
    assert (bench.folder / "output" / "latest").resolve() == run_folders(bench)[1]


async def test_a_run_killed_before_it_was_entered_leaves_an_empty_folder_and_nothing_else(bench):
    pictures(bench)
    await killed_at(bench, "begun-before", 1, *ONE_AFTER_THE_OTHER)
    empty, *_ = run_folders(bench)
    ran = await bench.scan()

    assert ran.exit_code == 0
    assert not list(empty.iterdir())
    assert ran.report.files.scanned == bench.charged() == CONTENTS


@pytest.mark.slow
@pytest.mark.parametrize("point", ["ledger-before", "ledger-after"])
async def test_a_run_killed_as_it_makes_the_ledger_leaves_nothing_that_the_next_minds(bench, point):
    pictures(bench)
    await killed_at(bench, point, 1, *ONE_AFTER_THE_OTHER)
    ran = await bench.scan()

    assert ran.exit_code == 0
    assert ran.report.files.scanned == bench.charged() == CONTENTS


@pytest.mark.slow
@pytest.mark.parametrize(
    ("nth", "kept"), [(1, 0), (2, 0), (3, CONTENTS), (4, CONTENTS)],
    ids=["login counted", "token", "report", "latest"],
)  # fmt: skip
async def test_a_run_killed_before_a_file_is_put_in_place_loses_that_file_only(bench, nth, kept):
    pictures(bench)
    await killed_at(bench, "replacing", nth, *ONE_AFTER_THE_OTHER)
    ran = await bench.scan()

    assert ran.exit_code == 0
    assert ran.report.files.scanned == CONTENTS - kept
    assert (bench.folder / "output" / "latest").resolve().name == ran.report.run.id
    assert_nothing_lost_or_doubled(bench, CONTENTS, replayed=True)


@pytest.mark.slow
async def test_a_killed_run_whose_folder_cannot_be_written_is_closed_when_it_can(bench_with):
    async with bench_with(duplicate="rescan") as bench:
        pictures(bench)
        await killed_at(bench, "answer-received", 3, *ONE_AFTER_THE_OTHER)
        output, away = bench.folder / "output", bench.folder / "away"
        output.rename(away)
        output.write_bytes(b"in the way")
        elsewhere = {"directory": str(bench.folder / "elsewhere")}
        async with Scan(bench.settings(output=elsewhere), bench.clock) as run:
            async for _ in run:
                pass
        assert (run.exit_code, run.report.files.scanned) == (0, 2)
        output.unlink()
        away.rename(output)
        await bench.scan()

        killed, _ = reports(bench)
        assert_killed(killed, run_folders(bench)[0], Kill("answer-received", 3, 3, 2, 1))
        assert bench.charged() == CONTENTS + 1


@pytest.mark.slow
async def test_a_killed_run_counts_no_doubt_of_an_earlier_one_again(bench):
    bench.pictures(1)
    bench.emulator.faults = (Fault(route="check", action=Reset(when="after")),)
    first = await bench.scan(api={"attempts": 1})
    assert first.report.credits.outcome_unknown == 1
    bench.emulator.faults = ()
    await killed_at(bench, "claim-committed", 1, *ONE_AFTER_THE_OTHER)
    await bench.scan()

    doubts = [report["credits"]["outcome_unknown"] for report in reports(bench)]
    assert doubts == [1, 1, 0]


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["cut", "garbage", "all gone"])
async def test_a_killed_runs_torn_results_are_made_again_whole(bench, damage):
    pictures(bench)
    await killed_at(bench, "line-after", 4, *ONE_AFTER_THE_OTHER)
    [folder] = run_folders(bench)
    results = folder / "results.jsonl"
    whole = statuses_of(folder)
    if damage == "cut":
        results.write_bytes(results.read_bytes()[:-100])
    elif damage == "garbage":
        results.write_bytes(b"\0" * 4096 + results.read_bytes()[4096:])
    else:
        shutil.rmtree(folder)
    ran = await bench.scan()

    assert ran.exit_code == 0
    assert statuses_of(folder) == whole
    assert_nothing_lost_or_doubled(bench, CONTENTS, replayed=True)


@pytest.mark.slow
@pytest.mark.parametrize("kill", KILLS, ids=lambda kill: kill.point)
@pytest.mark.parametrize("duplicate", ["replay", "conflict", "rescan"])
async def test_kills_with_many_pictures_under_way_lose_and_double_nothing_but_these(
    bench_with, duplicate, kill
):
    async with bench_with(duplicate=duplicate, latency=0.02) as bench:
        bench.pictures(20)
        command = Process(bench)
        words = ("-j", "8", "--rate", "1000/s", "-q")
        for nth in (min(kill.nth, 2), 1):  # many lines may be written at once
            await killed_at(bench, kill.point, nth, *words)
        code, _, err = await command.run(*words)
        asked = len(bench.checks())
        again, _, _ = await command.run(*words)

        assert (code, again) == (0, 0), err
        assert len(bench.checks()) == asked
        assert_nothing_lost_or_doubled(bench, 20, replayed=duplicate == "replay")


@pytest.mark.slow
@pytest.mark.parametrize("kill", UNDER_WAY, ids=lambda kill: kill.point)
@pytest.mark.parametrize("duplicate", ["conflict", "rescan"])
async def test_only_what_was_under_way_is_charged_twice_where_the_service_replays_nothing(
    bench_with, duplicate, kill
):
    async with bench_with(duplicate=duplicate) as bench:
        pictures(bench)
        await killed_at(bench, kill.point, kill.nth, *ONE_AFTER_THE_OTHER)
        await until(lambda: bench.charged() == kill.charged)
        code, _, err = await Process(bench).run(*ONE_AFTER_THE_OTHER)

        assert code == 0, err
        assert bench.charged() == CONTENTS + kill.charged - kill.kept
        assert_nothing_lost_or_doubled(bench, CONTENTS, replayed=False)
