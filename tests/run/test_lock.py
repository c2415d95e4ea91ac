"""The lock of the state folder, taken away from a run that is under way: real processes."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
from collections import Counter
from contextlib import closing

import pytest

from batchscan.allow.active import ActiveAllowRules
from batchscan.emulator import Fault
from batchscan.emulator.fault_actions import Delay
from batchscan.ledger import Ledger, Realm
from batchscan.runs.recovery import make_files, settle_killed_runs
from batchscan.settings import Settings
from tests.support.processes import Process, all_lines, reports, until


def scanned(bench) -> Counter[str | None]:
    return Counter(line.sha256 for line in all_lines(bench) if line.status == "scanned")


def under_way(bench) -> int:
    path = bench.folder / "state" / "ledger.sqlite3"
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as ledger:
            return ledger.execute("SELECT sum(under_way) FROM claims").fetchone()[0] or 0
    except sqlite3.Error:  # it is being made
        return 0


def remove(state) -> None:
    (state / "lock").unlink()


def replace_by_file(state) -> None:
    (state / "new").touch()
    (state / "new").replace(state / "lock")


def replace_by_link(state) -> None:
    (state / "lock").unlink()
    (state / "lock").symlink_to(state / "elsewhere")


def replace_by_folder(state) -> None:
    (state / "lock").unlink()
    (state / "lock").mkdir()


def move_folder(state) -> None:
    state.rename(state.with_name("moved"))


def replace_folder(state) -> None:
    move_folder(state)
    state.mkdir()


async def stopped_by(bench, harm, checks: int) -> bytes:
    """Harm the state folder of a scan after more requests than these; returns what it says."""
    process = await Process(bench).start("-j", "4", "--rate", "20/s")
    await until(lambda: len(bench.checks()) > checks)
    harm(bench.folder / "state")
    _, err = await process.communicate()

    assert process.returncode == 9, err
    assert b"Traceback" not in err
    assert b"was removed or replaced during this run" in err
    return err


HARM = [remove, replace_by_file, replace_by_link, replace_by_folder, move_folder, replace_folder]


@pytest.mark.slow
@pytest.mark.parametrize("harm", HARM, ids=lambda harm: harm.__name__)
async def test_a_run_whose_lock_is_gone_stops_and_keeps_what_is_under_way(bench_with, harm):
    async with bench_with(latency=0.3) as bench:
        bench.pictures(150)
        state = bench.folder / "state"
        await stopped_by(bench, harm, 3)
        assert len(bench.checks()) < 140
        assert sum(scanned(bench).values()) == bench.charged()
        if harm in (move_folder, replace_folder):
            shutil.rmtree(state, ignore_errors=True)
            state.with_name("moved").rename(state)
        elif harm is replace_by_folder:
            (state / "lock").rmdir()
        elif harm is replace_by_link:
            (state / "lock").unlink()
        code, _, said = await Process(bench).run("--rate", "500/s")
        assert code == 0, said
        assert bench.charged() == 150
        assert scanned(bench) == dict.fromkeys(scanned(bench), 1)
        assert len(scanned(bench)) == 150


def remove_ledger(state) -> None:
    for path in state.glob("ledger.sqlite3*"):
        path.unlink()


def put_a_backup_back(state) -> None:
    backup = state.with_name("backup.sqlite3")
    with closing(sqlite3.connect(state / "ledger.sqlite3")) as ledger:
        ledger.execute("VACUUM INTO ?", (str(backup),))
    remove_ledger(state)
    backup.rename(state / "ledger.sqlite3")


@pytest.mark.slow
@pytest.mark.parametrize("harm", [remove_ledger, put_a_backup_back], ids=lambda harm: harm.__name__)
async def test_a_run_whose_ledger_is_gone_stops_and_saves_what_it_has(bench_with, harm):
    async with bench_with(latency=0.3) as bench:
        bench.pictures(60)
        state = bench.folder / "state"
        err = await stopped_by(bench, harm, 5)
        assert len(bench.checks()) < 50
        [saved] = state.glob("ledger-saved-*.sqlite3")
        assert str(saved).encode() in err
        assert saved.stat().st_mode & 0o777 == 0o600
        remove_ledger(state)
        saved.rename(state / "ledger.sqlite3")
        code, _, said = await Process(bench).run("--rate", "500/s")
        assert code == 0, said
        assert bench.charged() == 60
        assert scanned(bench) == dict.fromkeys(scanned(bench), 1)
        assert len(scanned(bench)) == 60


@pytest.mark.slow
async def test_no_second_run_starts_beside_one_whose_lock_file_was_deleted(bench_with):
    late = Fault(route="check", count=4, action=Delay(seconds=20))
    async with bench_with(faults=(late,)) as bench:
        bench.pictures(60)
        first = await Process(bench).start("-j", "4", "--rate", "20/s")
        await until(lambda: under_way(bench) == 4)  # for twenty seconds
        remove(bench.folder / "state")
        second, *_ = await Process(bench).run("--rate", "500/s")
        await first.communicate()
        third, *_ = await Process(bench).run("--rate", "500/s")

        assert (second, first.returncode, third) == (7, 9, 0)
        assert bench.charged() == 60
        assert sum(scanned(bench).values()) == 60


@pytest.mark.slow
async def test_answers_of_a_run_that_was_taken_for_killed_are_in_a_run_beside_it(bench_with):
    """On a file system without locks on folders, another run may close it before it notices."""
    async with bench_with(latency=1.0) as bench:
        bench.pictures(12)
        first = await Process(bench).start("-j", "4")
        await until(lambda: len(bench.checks()) == 4)
        ledger = Ledger.open(bench.folder / "state", Realm(bench.emulator.url, sandbox=False))
        first.send_signal(signal.SIGSTOP)
        with ledger.transaction(writing=True):
            allowing = ActiveAllowRules.of(Settings(), 0.0)
            settle_killed_runs(ledger, allowing, sandbox=False, now=0.0)
            make_files(ledger, allowing, sandbox=False, now=0.0)
        ledger.close()
        os.unlink(bench.folder / "state" / "lock")
        first.send_signal(signal.SIGCONT)
        await asyncio.wait_for(first.communicate(), 60)
        assert first.returncode == 9
        assert bench.charged() < 12
        code, _, err = await Process(bench).run("--rate", "500/s")

        assert code == 0, err
        assert bench.charged() == 12
        assert sum(scanned(bench).values()) == 12
        assert len(scanned(bench)) == 12
        ids = [report["run"]["id"] for report in reports(bench)]
        assert [each for each in ids if each.endswith("-late")]
