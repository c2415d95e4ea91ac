"""A state folder that is locked, torn or another version's: what the run says, and the next does."""

from __future__ import annotations

import asyncio
import random
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from batchscan.emulator import Fault
from batchscan.emulator.fault_actions import Delay
from tests.support.bench import Bench
from tests.support.inside import times_met
from tests.support.pictures import png, tree
from tests.support.processes import (
    Process,
    Running,
    assert_nothing_lost_or_doubled,
    reports,
    until,
)

PAGE = 4096


def noise(size: int) -> bytes:
    return random.Random(3).randbytes(size)


def ledger_of(bench: Bench) -> Path:
    return bench.folder / "state" / "ledger.sqlite3"


def locker(bench: Bench) -> closing[sqlite3.Connection]:
    """Another process's connection to the ledger, from the run's point of view."""
    return closing(sqlite3.connect(ledger_of(bench), isolation_level=None))


async def assert_waiting(process: Running, seconds: float) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(process.wait(), seconds)


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2 // PAGE * PAGE + 100]


def without_header(data: bytes) -> bytes:
    return noise(100) + data[100:]


def without_schema(data: bytes) -> bytes:
    return data[:100] + bytes(PAGE - 100) + data[PAGE:]


def with_garbage_inside(data: bytes) -> bytes:
    return data[:PAGE] + noise(len(data) - PAGE)


@pytest.mark.parametrize("damage", [cut, without_header, without_schema, with_garbage_inside])
async def test_a_torn_ledger_ends_the_run_before_anything_is_paid_and_is_left_as_it_is(
    bench, damage
):
    bench.pictures(3)
    await bench.scan()
    whole = ledger_of(bench).read_bytes()
    torn = damage(whole)
    ledger_of(bench).write_bytes(torn)
    tree(bench.images, {"new.png": png(16, 16, 99)})
    code, out, err = await Process(bench).run()

    assert code == 9
    assert "ledger.sqlite3 cannot be used" in err
    assert "restore the file from a backup" in err
    assert "Traceback" not in out + err
    assert bench.charged() == len(bench.checks()) == 3
    assert ledger_of(bench).read_bytes() == torn

    for path in ledger_of(bench).parent.glob("ledger.sqlite3*"):
        path.unlink()
    ledger_of(bench).write_bytes(whole)  # from the backup
    ran = await bench.scan()
    assert (ran.exit_code, ran.report.files.unchanged) == (0, 3)
    assert bench.charged() == 4


@pytest.mark.parametrize(
    ("version", "said"), [(99, "is from a newer version of batchscan"), (0, "is not a ledger")]
)
async def test_a_ledger_of_a_version_that_cannot_be_brought_up_is_left_alone(bench, version, said):
    bench.pictures(2)
    await bench.scan()
    with locker(bench) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    before = ledger_of(bench).read_bytes()
    code, _, err = await Process(bench).run("-q")

    assert code == 9
    assert said in err
    assert "Traceback" not in err
    assert ledger_of(bench).read_bytes() == before
    assert len(bench.checks()) == 2


async def test_an_empty_ledger_is_a_new_one(bench):
    bench.pictures(2)
    ledger_of(bench).parent.mkdir()
    ledger_of(bench).touch()  # a run killed between making the file and filling it
    ran = await bench.scan()

    assert ran.statuses() == {"scanned": 2}


async def test_a_ledger_that_another_process_locks_is_waited_for_at_the_start(bench):
    bench.pictures(1)
    await bench.scan()
    tree(bench.images, {"new.png": png(16, 16, 99)})
    with locker(bench) as connection:
        connection.execute("BEGIN IMMEDIATE")
        process = await Process(bench).start("-q")
        await assert_waiting(process, 0.8)
        assert len(bench.checks()) == 1
        connection.execute("ROLLBACK")
    _, err = await process.communicate()

    assert (process.returncode, err) == (0, b"")
    assert bench.charged() == 2


async def test_a_ledger_that_another_process_locks_is_waited_for_with_answers_in_hand(bench):
    bench.pictures(3)
    bench.emulator.faults = (Fault(route="check", action=Delay(seconds=0.3)),)
    process = await Process(bench).start("-q", "-j", "3", "--rate", "1000/s")
    await until(lambda: times_met(bench.emulator) == 3)
    with locker(bench) as connection:
        connection.execute("BEGIN IMMEDIATE")
        await until(lambda: bench.charged() == 3)
        await assert_waiting(process, 0.3)
        connection.execute("ROLLBACK")
    _, err = await process.communicate()

    assert (process.returncode, err) == (0, b"")
    assert reports(bench)[0]["files"]["scanned"] == 3


@pytest.mark.slow
@pytest.mark.timeout(300)  # each that wants the ledger waits 30 s for it
async def test_a_ledger_that_stays_locked_ends_the_run_and_the_answers_are_rescued(bench_with):
    async with bench_with(duplicate="rescan") as bench:
        bench.pictures(3)
        bench.emulator.faults = (Fault(route="check", action=Delay(seconds=0.3)),)
        process = await Process(bench).start("-j", "3", "--rate", "1000/s")
        await until(lambda: times_met(bench.emulator) == 3)
        with locker(bench) as connection:
            connection.execute("BEGIN IMMEDIATE")
            _, err = await process.communicate()

        assert process.returncode == 9, err
        assert b"is being written by another process, which did not finish" in err
        assert b"rescued-answers.jsonl" in err
        bench.emulator.faults = ()
        ran = await bench.scan()
        assert ran.exit_code == 0
        assert_nothing_lost_or_doubled(bench, 3, replayed=True)


@pytest.mark.parametrize("content", [b"", b"{", b'{"access_token": "half', noise(300)])
async def test_a_torn_token_file_costs_one_login(bench, content):
    bench.pictures(1)
    await bench.scan()
    token = bench.folder / "state" / "token.json"
    token.write_bytes(content)
    tree(bench.images, {"new.png": png(16, 16, 99)})
    ran = await bench.scan()
    again = await bench.scan(force=True)

    assert (ran.exit_code, ran.report.api.logins) == (0, 1)
    assert (again.exit_code, again.report.api.logins) == (0, 0)


async def test_torn_marks_and_notes_in_the_state_folder_are_no_trouble(bench):
    bench.pictures(2)
    await bench.scan()
    for name in ("checking", "crash.log", "lock.json", "token.json.lock"):
        (bench.folder / "state" / name).write_bytes(noise(5000))
    ran = await bench.scan(force=True)

    assert ran.statuses() == {"scanned": 2}


async def test_a_stopped_process_keeps_its_lock_and_goes_on_where_it_was(bench):
    """As a laptop that sleeps; only a kernel's lock knows that its holder is still there."""
    bench.pictures(3)
    bench.emulator.faults = (Fault(route="check", action=Delay(seconds=0.5)),)
    command = Process(bench)
    process = await command.start("-q", "-j", "1", "--rate", "1000/s")
    await until(lambda: times_met(bench.emulator) == 1)
    process.send_signal(signal.SIGSTOP)
    code, _, err = await command.run()
    process.send_signal(signal.SIGCONT)
    await process.communicate()

    assert code == 7
    assert f"process {process.pid}" in err
    assert process.returncode == 0
    assert bench.charged() == 3


async def test_a_time_of_a_request_that_is_no_number_is_damage_and_no_bug(bench):
    bench.pictures(2)
    await bench.scan()
    with closing(sqlite3.connect(bench.folder / "state" / "ledger.sqlite3")) as ledger:
        ledger.execute("UPDATE sends SET at = 'abc'")
        ledger.commit()
    bench.pictures(3)
    code, _, err = await Process(bench).run()

    assert (code, len(bench.checks())) == (9, 2)
    assert "sends.at" in err
    assert "bug" not in err
    with closing(sqlite3.connect(bench.folder / "state" / "ledger.sqlite3")) as ledger:
        ledger.execute("DELETE FROM sends")
        ledger.commit()
