"""A ledger that is older than what it was told is found out before anything is paid again."""

from __future__ import annotations

import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from batchscan import Scan
from batchscan.emulator import Fault
from batchscan.emulator.fault_actions import Delay
from batchscan.errors import StorageError
from batchscan.ledger.identity import FILE_NAME as HIGH_WATER
from batchscan.runs.lineage import NOTES
from tests.support.bench import Bench
from tests.support.inside import times_met
from tests.support.pictures import png, tree
from tests.support.processes import Process, until

ACCEPT = "--accept-old-ledger"


def state_of(bench: Bench) -> Path:
    return bench.folder / "state"


def new_picture(bench: Bench, seed: int = 99) -> None:
    tree(bench.images, {f"new{seed}.png": png(16, 16, seed)})


def restore(bench: Bench, backup: Path, *, whole: bool) -> None:
    """Put back the ledger alone, as the manual says, or the whole state folder."""
    if whole:
        shutil.rmtree(state_of(bench))
        shutil.copytree(backup, state_of(bench))
        return
    for path in state_of(bench).glob("ledger.sqlite3*"):
        path.unlink()
    shutil.copy(backup / "ledger.sqlite3", state_of(bench))


async def assert_asks_once(bench: Bench, *said: str, unknown: int) -> None:
    """Nothing is sent without the flag, `unknown` pictures with it, and it is not asked again."""
    checks = len(bench.checks())
    process = Process(bench)
    for _ in range(2):
        code, out, err = await process.run()
        assert code == 9, (out, err)
        assert ACCEPT in err
        assert "nothing was sent" in err
        assert [word for word in said if word not in err] == []
        assert "Traceback" not in err
        assert len(bench.checks()) == checks
    code, _, err = await process.run("-n")
    assert code == 0
    assert "nothing was sent" in err  # a warning
    code, _, err = await process.run(ACCEPT, "-q")
    assert (code, err) == (0, "")
    assert len(bench.checks()) == checks + unknown
    new_picture(bench, 1234)
    code, _, err = await process.run("-q")
    assert (code, err) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("killed", [False, True])
async def test_a_backup_that_is_put_back(bench, whole, killed):
    bench.pictures(2)
    await bench.scan()
    backup = bench.folder / "backup"
    shutil.copytree(state_of(bench), backup)
    new_picture(bench)
    if killed:
        bench.emulator.faults = (Fault(route="check", action=Delay(seconds=30)),)
        process = await Process(bench).start("-q")
        await until(lambda: times_met(bench.emulator) == 1)
        process.send_signal(signal.SIGKILL)
        await process.communicate()
        bench.emulator.faults = ()
    else:
        await bench.scan()
    restore(bench, backup, whole=whole)

    await assert_asks_once(bench, "as if it came from a backup", unknown=1)


@pytest.mark.slow
async def test_a_backup_that_is_put_back_where_no_note_is_beside_it(bench):
    bench.pictures(2)
    await bench.scan()
    backup = bench.folder / "backup"
    shutil.copytree(state_of(bench), backup)
    new_picture(bench)
    await bench.scan()
    restore(bench, backup, whole=False)
    (state_of(bench) / HIGH_WATER).unlink()

    await assert_asks_once(bench, "lacks 1 run", unknown=1)


async def test_a_log_that_is_gone(bench):
    """Answers that were committed, and not yet in the ledger's own file when the run was killed."""
    bench.pictures(6)
    bench.emulator.faults = (Fault(route="check", action=Delay(seconds=30), nth=5),)
    process = await Process(bench).start("-q", "-j", "1", "--rate", "1000/s")
    await until(lambda: bench.charged() == 4 and times_met(bench.emulator) == 5)
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    bench.emulator.faults = ()
    log = state_of(bench) / "ledger.sqlite3-wal"
    assert log.stat().st_size
    log.unlink()

    # All of it was in there, the ledger's tables too: the ledger is a new one
    code, _, err = await Process(bench).run()
    assert code == 9, err
    assert len(bench.checks()) <= 5  # the delayed one is entered once its client is gone
    assert ACCEPT in err


@pytest.mark.slow
async def test_a_log_that_is_gone_from_a_ledger_that_had_been_closed(bench_with):
    async with bench_with(duplicate="rescan") as bench:
        bench.pictures(2)
        await bench.scan()
        bench.pictures(4, start=2)
        bench.emulator.faults = (Fault(route="check", action=Delay(seconds=30), nth=4),)
        process = await Process(bench).start("-q", "-j", "1", "--rate", "1000/s")
        await until(lambda: bench.charged() == 5 and times_met(bench.emulator) == 4)
        process.send_signal(signal.SIGKILL)
        await process.communicate()
        bench.emulator.faults = ()
        (state_of(bench) / "ledger.sqlite3-wal").unlink()

        await assert_asks_once(bench, "ledger.sqlite3-wal had been removed", unknown=4)


@pytest.mark.slow
@pytest.mark.parametrize("everything", [False, True])
async def test_a_ledger_that_was_deleted(bench, everything):
    bench.pictures(2)
    await bench.scan()
    if everything:
        shutil.rmtree(state_of(bench))
    else:
        for path in state_of(bench).glob("ledger*"):
            path.unlink()

    await assert_asks_once(bench, unknown=2)


async def test_a_new_machine_with_an_old_output_folder(bench):
    bench.pictures(2)
    await bench.scan()
    state_of(bench).rename(bench.folder / "away")
    (bench.folder / "away" / "ledger.sqlite3").unlink()
    other = {"directory": str(bench.folder / "output"), "state": str(bench.folder / "other")}
    with pytest.raises(StorageError, match="is new, and the ledger of the runs in"):
        await bench.scan(output=other)
    assert len(bench.checks()) == 2
    assert (await bench.scan(output=other, accept_old_ledger=True)).exit_code == 0
    assert (await bench.scan(output=other)).report.files.unchanged == 2


@pytest.mark.slow
async def test_runs_of_a_version_before_there_were_notes(bench):
    bench.pictures(2)
    await bench.scan()
    (bench.folder / "output" / NOTES).unlink()
    shutil.rmtree(state_of(bench))

    await assert_asks_once(bench, "is new, and has no record of the run", unknown=2)


async def test_a_backup_of_the_state_folder_beside_a_copy_of_the_output_folder(bench):
    """`cp -r output/* copy` leaves out the notes, whose name begins with a dot."""
    bench.pictures(2)
    await bench.scan()
    backup = bench.folder / "backup"
    shutil.copytree(state_of(bench), backup)
    for number in range(2):
        new_picture(bench, 50 + number)
        await bench.scan()
    restore(bench, backup, whole=True)
    (bench.folder / "output" / NOTES).unlink()

    await assert_asks_once(bench, "lacks the run", unknown=2)


async def test_a_backup_that_only_another_output_folder_contradicts(bench):
    async def scan_elsewhere() -> None:
        output = {"directory": str(bench.folder / "output-2"), "state": str(state_of(bench))}
        async with Scan(bench.settings(output=output)) as run:
            assert [outcome async for outcome in run]

    bench.pictures(2)
    await scan_elsewhere()
    backup = bench.folder / "backup"
    shutil.copytree(state_of(bench), backup)
    new_picture(bench)
    await scan_elsewhere()
    restore(bench, backup, whole=True)

    await assert_asks_once(bench, "lacks 1 run", "output-2", unknown=1)


async def test_moved_and_shared_folders_raise_no_alarm(bench):
    """Two state folders that share an output folder, moved folders, old runs that went."""
    bench.pictures(2)
    await bench.scan()
    other = {"directory": str(bench.folder / "output"), "state": str(bench.folder / "state-2")}
    for number in range(3):
        new_picture(bench, 50 + number)
        assert (await bench.scan(output=other)).exit_code == 0
        assert (await bench.scan(output={"keep_runs": 1})).exit_code == 0
    state_of(bench).rename(bench.folder / "moved")
    moved = {"directory": str(bench.folder / "output"), "state": str(bench.folder / "moved")}
    assert (await bench.scan(output=moved)).exit_code == 0
    elsewhere = {"directory": str(bench.folder / "output-2"), "state": moved["state"]}
    async with Scan(bench.settings(output=elsewhere)) as run:
        pass
    assert run.exit_code == 130
    assert (await bench.scan(output=moved)).report.files.unchanged == 5
    assert len(bench.checks()) == 2 + 2 * 3 + 2


@pytest.mark.parametrize("content", [b"", b"{", b"\0" * 200, bytes(range(200))])
async def test_a_truncated_note_is_ignored(bench, content):
    bench.pictures(1)
    await bench.scan()
    (state_of(bench) / HIGH_WATER).write_bytes(content)
    ran = await bench.scan()
    with closing(sqlite3.connect(state_of(bench) / "ledger.sqlite3")) as ledger:
        [[changes]] = ledger.execute("SELECT changes FROM identity")

    assert (ran.exit_code, ran.report.files.unchanged) == (0, 1)
    assert f" {changes}," in (state_of(bench) / HIGH_WATER).read_text()
