"""The machine at fault: signals, full and locked disks, torn files."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from batchscan import Scan
from batchscan.emulator import Fault
from batchscan.emulator.fault_actions import AnswerInstead, Delay
from tests.support.bench import Bench
from tests.support.inside import times_met
from tests.support.processes import (
    Process,
    Running,
    assert_nothing_lost_or_doubled,
    reports,
    until,
)
from tests.support.result_lines import read_lines

AT_ONCE = ("--rate", "1000/s")
SLOWLY = (Fault(route="check", action=Delay(seconds=0.8)),)


def ledger_log(bench: Bench) -> Path:
    return bench.folder / "state" / "ledger.sqlite3-wal"


def no_room(process: Running, size: int) -> None:
    """As a disk that is full from now on: no file of a running process grows beyond `size`."""
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def room_again(process: Running) -> None:
    no_room(process, resource.RLIM_INFINITY)


def arrived(bench: Bench) -> int:
    """Checks that the service has begun to read, with `SLOWLY`."""
    return times_met(bench.emulator)


async def ended(process: Running) -> tuple[int, str, str]:
    out, err = await process.communicate()
    assert b"Traceback" not in err
    return process.returncode or 0, out.decode(), err.decode()


# Signals: while requests are under way, they are tests/run/test_process.py's.


@pytest.mark.slow
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_ends_a_wait_for_the_service_at_once(bench, signum):
    bench.pictures(3)
    busy = AnswerInstead(status=429, headers={"Retry-After": "600"})
    bench.emulator.faults = (Fault(route="check", action=busy),)
    process = await Process(bench).start("-j", "1")
    await until(bench.checks)
    await asyncio.sleep(0.1)  # the pause has begun, or is about to: both must end
    process.send_signal(signum)
    code, out, err = await ended(process)

    assert code == 128 + signum
    assert f"stopped by {signum.name}" in err
    assert "not: " in out or "not checked: " in out or "is checked: " in out
    [report] = reports(bench)
    assert report["run"]["exit_reason"] == "interrupted"
    assert report["files"]["deferred"] == 3
    assert bench.charged() == 0


@pytest.mark.slow
async def test_a_second_signal_ends_the_run_and_what_was_under_way_is_asked_again(bench):
    bench.pictures(3)
    bench.emulator.faults = SLOWLY
    process = await Process(bench).start(*AT_ONCE, "-j", "3")
    await until(lambda: arrived(bench) == 3)
    process.send_signal(signal.SIGINT)
    said = await process.stderr.readuntil(b"stops at once")  # type: ignore[union-attr]
    process.send_signal(signal.SIGTERM)
    code, out, _ = await ended(process)

    assert (code, out) == (143, "")
    assert b"finishing what is under way" in said
    await until(lambda: bench.charged() == 3)
    bench.emulator.faults = ()
    ran = await bench.scan()
    assert ran.statuses() == {"scanned": 3}
    killed, _ = reports(bench)
    assert killed["run"]["exit_reason"] == "killed"
    assert killed["reasons"] == {"outcome_unknown": 3}
    assert killed["credits"]["outcome_unknown"] == bench.charged() == 3


@pytest.mark.slow
async def test_a_signal_ends_the_wait_for_another_run(bench):
    bench.pictures(1)
    async with Scan(bench.settings(), bench.clock):  # holds the state folder
        process = await Process(bench).start("--if-locked", "wait")
        await process.stderr.readuntil(b"waiting for another run")  # type: ignore[union-attr]
        process.send_signal(signal.SIGTERM)
        code, out, err = await ended(process)

    assert (code, out) == (143, "")
    assert "stopped by SIGTERM" in err


# A disk that fills up while the run is under way.


async def test_an_answer_that_no_disk_takes_goes_to_stderr_and_is_asked_for_again(bench):
    bench.pictures(3)
    bench.emulator.faults = SLOWLY
    process = await Process(bench, measured=False).start(*AT_ONCE, "-j", "3")
    await until(lambda: arrived(bench) == 3)
    no_room(process, 100)
    code, _, err = await ended(process)

    assert code == 9
    assert err.count("a paid answer that could not be stored") == 3
    assert "ledger.sqlite3 cannot be used" in err
    bench.emulator.faults = ()
    ran = await bench.scan()
    assert ran.statuses() == {"scanned": 3}
    assert reports(bench)[0]["credits"]["outcome_unknown"] == bench.charged() == 3
    assert_nothing_lost_or_doubled(bench, 3, replayed=True)


async def test_answers_that_only_the_output_takes_are_kept_there_until_the_next_run(bench_with):
    async with bench_with(duplicate="rescan") as bench:
        bench.pictures(3)
        bench.emulator.faults = SLOWLY
        process = await Process(bench, measured=False).start(*AT_ONCE, "-j", "3")
        await until(lambda: arrived(bench) == 3)
        no_room(process, ledger_log(bench).stat().st_size)
        code, _, err = await ended(process)

        assert code == 9
        assert "rescued-answers.jsonl" in err
        [report] = reports(bench)
        assert (report["run"]["exit_reason"], report["run"]["partial"]) == ("storage", True)
        assert report["files"]["scanned"] == bench.charged() == 3
        bench.emulator.faults = ()
        ran = await bench.scan()
        assert (ran.exit_code, ran.report.files.unchanged + ran.report.files.reused) == (0, 3)
        assert_nothing_lost_or_doubled(bench, 3, replayed=True)


async def test_rescued_answers_are_taken_in_though_a_signal_is_why_the_run_ended(bench_with):
    async with bench_with(duplicate="rescan") as bench:
        bench.pictures(2)
        later = Fault(route="check", file_name="p001*", action=Delay(seconds=0.8))
        bench.emulator.faults = (*SLOWLY, later)
        process = await Process(bench, measured=False).start(*AT_ONCE, "-j", "2")
        await until(lambda: arrived(bench) == 2)
        process.send_signal(signal.SIGTERM)
        no_room(process, ledger_log(bench).stat().st_size)
        await until(lambda: list(bench.folder.glob("output/runs/*/rescued-answers.jsonl")))
        room_again(process)
        code, _, _ = await ended(process)

        assert code == 143
        bench.emulator.faults = ()
        await bench.scan()
        assert len(bench.checks()) == 2
        assert_nothing_lost_or_doubled(bench, 2, replayed=True)


async def test_a_report_that_cannot_be_written_is_made_by_the_next_run(bench):
    bench.pictures(3)
    bench.emulator.faults = (Fault(route="credits", action=Delay(seconds=0.5)),)
    process = await Process(bench, measured=False).start(*AT_ONCE)
    await until(lambda: arrived(bench) == 1)  # the balance is asked for when all is decided
    no_room(process, 100)
    code, _, err = await ended(process)

    assert code == 9
    assert "free some space" in err
    [folder] = (bench.folder / "output" / "runs").iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["results.jsonl"]
    assert not (bench.folder / "output" / "latest").exists()
    ran = await bench.scan()
    assert ran.report.files.unchanged == 3
    assert reports(bench)[0]["files"]["scanned"] == bench.charged() == 3


@pytest.mark.slow
async def test_a_report_that_cannot_be_put_in_place_is_made_when_the_way_is_free(bench):
    bench.pictures(3)
    bench.emulator.faults = (Fault(route="credits", action=Delay(seconds=0.5)),)
    process = await Process(bench).start(*AT_ONCE)
    await until(lambda: arrived(bench) == 1)
    [folder] = (bench.folder / "output" / "runs").iterdir()
    (folder / "report.json").mkdir()
    code, _, err = await ended(process)

    assert code == 9
    assert "report.json': Is a directory" in err
    assert not list(folder.glob(".new-*"))
    ran = await bench.scan()  # the old run stays open
    (folder / "report.json").rmdir()
    again = await bench.scan()
    assert ran.exit_code == again.exit_code == 0
    assert reports(bench)[0]["files"]["scanned"] == bench.charged() == 3


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
async def test_a_full_disk_behind_stderr_changes_no_exit_code(bench):
    bench.pictures(3)
    full = os.open("/dev/full", os.O_WRONLY)
    process = await Process(bench).start("-v", *AT_ONCE, stderr=full)
    os.close(full)
    out, _ = await process.communicate()

    assert process.returncode == 0
    assert b"3 scanned" in out


async def mounted(bench, options: str, *words: str) -> tuple[int, str, str]:
    """Run the command with a file system of its own at the output folder, which is then kept."""
    output, command = bench.folder / "output", Process(bench)
    output.mkdir(mode=0o700, exist_ok=True)
    script = (
        f'mount -t tmpfs -o {options} tmpfs "$0" && {{ "$@"; code=$?; cp -a "$0" "$0.kept"; }}'
        " && exit $code"
    )
    process = await asyncio.create_subprocess_exec(
        "unshare", "-Urm", "sh", "-c", script, str(output),
        sys.executable, "-P", "-m", "batchscan", *words,
        "-o", str(output), "--state", str(bench.folder / "state"), str(bench.images),
        env=command.environment, cwd="/", stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    return await ended(process)


@pytest.fixture(scope="module")
def mounts() -> None:
    try:
        mount = "mount -t tmpfs tmpfs /tmp"
        subprocess.run(["unshare", "-Urm", "sh", "-c", mount], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this machine lets nobody mount a file system of his own")


@pytest.mark.slow
@pytest.mark.usefixtures("mounts")
async def test_results_that_fill_the_disk_end_with_a_whole_line_and_are_completed_by_the_next_run(
    bench_with,
):
    async with bench_with(duplicate="rescan") as bench:
        bench.pictures(30)
        code, _, err = await mounted(bench, "size=16k", *AT_ONCE, "-j", "1")

        assert code == 9
        assert "results.jsonl': No space left on device" in err
        [results] = bench.folder.glob("output.kept/runs/*/results.jsonl")
        assert results.read_bytes().endswith(b"\n")
        written, paid = len(list(read_lines(str(results)))), bench.charged()
        assert 0 < written < 30
        assert paid < 30
        ran = await bench.scan()
        assert ran.exit_code == 0
        assert bench.charged() == 30
        assert reports(bench)[0]["files"]["scanned"] == paid
        assert_nothing_lost_or_doubled(bench, 30, replayed=True)


@pytest.mark.usefixtures("mounts")
async def test_a_read_only_output_is_reported_before_anything_is_sent(bench):
    bench.pictures(1)
    code, out, err = await mounted(bench, "ro")

    assert (code, out) == (9, "")
    assert "cannot write" in err
    assert "Read-only file system" in err
    assert "--output" in err
    assert len(bench.emulator.journal) == 0


async def test_an_output_folder_that_cannot_be_created_is_reported_before_anything_is_sent(bench):
    bench.pictures(1)
    (bench.folder / "output").write_bytes(b"a file")
    code, out, err = await Process(bench).run()

    assert (code, out) == (9, "")
    assert "Not a directory" in err
    assert "--output" in err
    assert len(bench.emulator.journal) == 0


async def test_a_token_that_cannot_be_kept_costs_a_login_a_run_and_nothing_else(bench):
    bench.pictures(1)
    (bench.folder / "state" / "token.json").mkdir(parents=True)
    first, second = await bench.scan(), await bench.scan(rehash=True, force=True)

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert bench.charged() == len(bench.emulator.journal.of("login")) == 2
