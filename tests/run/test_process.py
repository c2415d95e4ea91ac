"""The command as a process of its own: killed, signalled, without a terminal or a home."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
from functools import partial

import pytest

from batchscan.emulator import Fault
from batchscan.emulator.fault_actions import Hang
from tests.support.limits import limited
from tests.support.pictures import png, tree
from tests.support.processes import (
    Process,
    all_lines,
    assert_nothing_lost_or_doubled,
    command,
    reports,
    until,
)

Started = partial(Process, forks=False)  # the start belongs to what is tested


async def test_under_cron_a_successful_run_prints_nothing(bench):
    bench.pictures(3)
    code, out, err = await Started(bench).run("-q")

    assert (code, out, err) == (0, "", "")
    assert bench.charged() == 3


@pytest.mark.slow
async def test_under_cron_newly_rejected_pictures_are_one_line_by_reason_once(bench):
    tree(bench.images, {"a.png": b"", "b.png": b"", "c.jpg": b"junk"})
    process = Process(bench)
    first = await process.run("-q")
    second = await process.run("-q")

    assert first[0] == 0
    assert first[1] == ""
    assert "2 empty" in first[2]
    assert "1 not_an_image" in first[2]
    assert second == (0, "", "")


async def test_stdout_is_one_json_object_with_json(bench):
    bench.pictures(2)
    code, out, _ = await Process(bench).run("--json")

    assert code == 0
    assert json.loads(out)["files"]["scanned"] == 2


async def test_the_first_signal_finishes_what_is_paid_for(bench_with):
    async with bench_with(latency=0.4) as bench:
        bench.pictures(400)  # so many that the signal comes before their end on any machine
        process = await Process(bench).start("-j", "4")
        await until(bench.checks)
        process.send_signal(signal.SIGTERM)
        out, err = await process.communicate()

        assert process.returncode == 143
        assert b"finishing what is under way (it is paid for)" in err
        [report] = reports(bench)
        assert report["run"]["partial"]
        assert report["files"]["scanned"] == bench.charged() > 0
        assert b"checked. " in out
        assert b"interrupted" in out


@pytest.mark.slow
async def test_a_second_signal_stops_at_once_and_the_next_run_closes_the_books(bench_with):
    hanging = Fault(route="check", action=Hang())
    async with bench_with(faults=(hanging,)) as bench:
        bench.pictures(3)
        process = await Process(bench).start()
        await until(bench.charged)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert b"once more stops at once" in await process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
        assert process.returncode == 130
        assert err == b"batchscan: stopped at once; run the same command again to continue\n"
        state = ("--state", str(bench.folder / "state"))
        code, _, said = await command(("report", *state), Process(bench).environment)
        assert code == 2
        assert "the next scan writes its report" in said

        bench.emulator.faults = ()
        code, _, _ = await Process(bench).run("-q")
        assert code == 0
        killed, finished = reports(bench)
        assert killed["run"]["exit_reason"] == "killed"
        assert killed["credits"]["outcome_unknown"] >= 1
        assert finished["files"]["scanned"] == 3
        assert bench.charged() == 3


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("duplicate", ["replay", "conflict", "rescan"])
async def test_kills_at_any_moment_lose_nothing_and_double_nothing_but_what_was_under_way(
    bench_with, duplicate, seed
):
    chance = random.Random(f"{seed} {duplicate}")
    async with bench_with(latency=0.05, duplicate=duplicate) as bench:
        tree(bench.images, {f"d{n % 3}/p{n:02}.png": png(16, 16, n) for n in range(40)})
        tree(bench.images, {"twin.png": png(16, 16, 7), "broken.png": b"junk"})
        command = Started(bench)
        for _ in range(5):
            process = await command.start("-j", "4", "--rate", "50/s")
            await asyncio.sleep(chance.uniform(0.3, 1.3))
            if process.returncode is None:
                process.kill()
            await process.communicate()
        code, _, err = await command.run("--rate", "1000/s")
        again = len(bench.emulator.journal)
        last, _, _ = await command.run()

        assert (code, last) == (0, 0), err
        assert len(bench.emulator.journal) == again
        assert_nothing_lost_or_doubled(bench, 40, replayed=duplicate == "replay")


async def test_without_a_home_the_state_folder_must_be_named(bench):
    bench.pictures(1)
    process = Process(bench)
    code, _, _ = await process.run("-q")

    assert "HOME" not in process.environment
    assert code == 0


async def test_nothing_is_loaded_from_the_working_folder(bench, tmp_path):
    bench.pictures(1)
    trap = tmp_path / "trap"
    tree(trap, {"yaml.py": b"raise SystemExit(77)", "config.yaml": b"scan: {limit: 0}"})
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "batchscan", "-n", str(bench.images),
        "-o", str(tmp_path / "out"), "--state", str(tmp_path / "state"),
        env={"PATH": os.environ["PATH"]}, cwd=str(trap),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()

    assert process.returncode == 0, err
    assert b"Would send 1 picture" in out


@pytest.mark.slow
@pytest.mark.parametrize("size", [400_000, 500_000, 700_000])
async def test_a_full_disk_saves_the_answers_in_hand_and_the_next_run_takes_them_in(
    bench_with, size
):
    async with bench_with(latency=0.05, duplicate="rescan") as bench:
        bench.pictures(60)
        command = Started(bench, measured=False)
        code, _, err = await command.run("--rate", "1000/s", program=limited("file-size", size))
        assert code == 9, err
        assert "ledger" in err
        assert "Traceback" not in err
        paid = bench.charged()
        again, _, err = await command.run("--rate", "1000/s")

        assert again == 0, err
        assert 0 < paid <= 60
        assert bench.charged() == 60  # though asking again would have been charged again
        assert_nothing_lost_or_doubled(bench, 60, replayed=True)


async def test_a_full_disk_at_the_start_is_reported_and_nothing_is_sent(bench):
    bench.pictures(2)
    code, _, err = await Started(bench, measured=False).run(program=limited("file-size", 50_000))

    assert code == 9
    assert "cannot be written" in err
    assert len(bench.emulator.journal) == 0


FEW_FILES = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (40, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
from batchscan.cli import main
main()
"""


@pytest.mark.slow
async def test_more_uploads_at_once_than_files_may_be_open_get_their_connections(bench_with):
    async with bench_with(latency=0.5) as bench:
        bench.pictures(80)
        words = ("scan", "-j", "80", "--rate", "1000/s", "-q")
        code, _, err = await Started(bench).run(*words, program=("-c", FEW_FILES))

        assert (code, err) == (0, "")


@pytest.mark.slow
async def test_a_picture_that_crashes_the_process_is_not_tried_in_the_next_run(bench):
    tree(
        bench.images, {"a.png": png(16, 16, 1), "b.png": png(6000, 6000, 2), "c.png": png(9, 9, 3)}
    )
    marks = bench.folder / "state" / "checking"
    victim = os.fsencode(bench.images / "b.png")
    command = Started(bench)
    process = await command.start("-j", "1")
    await until(lambda: marks.exists() and victim in marks.read_bytes())
    process.send_signal(signal.SIGSEGV)  # as a decoder would that reads where nothing is
    await process.communicate()
    assert process.returncode == -signal.SIGSEGV

    code, _, _ = await command.run("-j", "1")
    report = reports(bench)[-1]
    assert code == 3
    assert report["reasons"] == {"check_failed": 1}
    assert report["files"]["failed"] == 1
    assert bench.charged() == 2
    [line] = [line for line in all_lines(bench) if line.reason == "check_failed"]
    assert os.path.basename(line.path) == "b.png"

    code, _, _ = await command.run("-j", "1")
    assert code == 0
    assert reports(bench)[-1]["files"]["scanned"] == 1
    assert bench.charged() == 3


@pytest.mark.slow
async def test_a_run_that_is_killed_suspects_no_picture(bench):
    tree(bench.images, {"a.png": png(6000, 6000, 2)})
    marks = bench.folder / "state" / "checking"
    victim = os.fsencode(bench.images / "a.png")
    command = Started(bench)
    process = await command.start("-j", "1")
    await until(lambda: marks.exists() and victim in marks.read_bytes())
    process.kill()
    await process.communicate()

    code, _, err = await command.run("-j", "1")
    assert code == 0, err
    assert bench.charged() == 1
