"""The command as a process of its own, and what its runs left."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from batchscan.results import ResultLine
from tests.support import killing
from tests.support.forks import Fork, fork, forkable
from tests.support.result_lines import read_lines
from tests.support.schema import assert_valid

Running: TypeAlias = asyncio.subprocess.Process | Fork
BATCHSCAN = ("-m", "batchscan")
# Python before 3.14 leaves a half-written .pyc in place on a full disk, and every later import fails.
WRITES_NOTHING_BESIDE = {"PYTHONDONTWRITEBYTECODE": "1"}


# Several commands in one process, each as the command line would run it; their codes end stderr.
SEVERAL = """
import json, sys
from contextlib import redirect_stdout
from io import StringIO
from batchscan.cli import main
print(json.dumps([main(words) for words in json.loads(sys.argv[1])]), file=sys.stderr)
"""


async def kill_after(process, bench, requests: int, pause: float, latest: float) -> None:
    """Kill a scan a moment after so many more requests, or after so many seconds; if it still runs."""
    wanted, started = len(bench.checks()) + requests, time.monotonic()
    while process.returncode is None and len(bench.checks()) < wanted:
        if time.monotonic() - started > latest:
            break
        await asyncio.sleep(0.005)
    await asyncio.sleep(pause)
    if process.returncode is None:
        process.kill()


class Process:
    """Runs `batchscan` with a bare environment, as cron would."""

    def __init__(self, bench, *, measured: bool = True, forks: bool = True) -> None:
        """Prepare to run it.

        Args:
            bench: where.
            measured: coverage may follow it; False where its files could not be written.
            forks: a fork of a process that has loaded its modules will do; False where what is
                tested begins with the start or is how much memory is taken, and where what
                happens by chance should.
        """
        self.bench = bench
        self.forks = forks
        self.environment = {
            **(coverage_of_this_process() if measured else WRITES_NOTHING_BESIDE),
            "PATH": "/usr/bin:/bin",
            "COPYLEAKS_EMAIL": "me@example.com",
            "COPYLEAKS_API_KEY": "key-of-the-account",
            "COPYLEAKS_API_URL": bench.emulator.url,
            "COPYLEAKS_IDENTITY_URL": bench.emulator.url,
        }

    async def start(
        self,
        *words: str,
        program: tuple[str, ...] = BATCHSCAN,
        stdout: int = PIPE,
        stderr: int = PIPE,
        alone: bool = False,
    ) -> Running:
        folder = self.bench.folder
        folders = ("-o", str(folder / "output"), "--state", str(folder / "state"))
        words = (*words, *folders, str(self.bench.images))
        special = alone or program[0] == "-c"
        if self.forks and not special and forkable(self.environment):
            file, *first = ("",) if program == BATCHSCAN else program
            return await fork(
                (*first, *words), self.environment, program=file, stdout=stdout, stderr=stderr
            )
        return await asyncio.create_subprocess_exec(
            sys.executable, "-P", *program, *words,
            env=self.environment, cwd="/",
            stdin=asyncio.subprocess.DEVNULL, start_new_session=alone,
            stdout=stdout, stderr=stderr,
        )  # fmt: skip

    async def run(self, *words: str, program: tuple[str, ...] = BATCHSCAN) -> tuple[int, str, str]:
        process = await self.start(*words, program=program)
        out, err = await process.communicate()
        return process.returncode or 0, out.decode(), err.decode()


async def command(
    words: Sequence[str], environment: Mapping[str, str], folder: str = "/"
) -> tuple[int, str, str]:
    """Run any command of `batchscan`, in a fork where one is as good as a new process."""
    process: Running
    if forkable(environment):
        process = await fork(tuple(words), environment, folder=folder)
    else:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", *BATCHSCAN, *words, env=environment, cwd=folder,
            stdin=asyncio.subprocess.DEVNULL, stdout=PIPE, stderr=PIPE,
        )  # fmt: skip
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


def coverage_of_this_process() -> dict[str, str]:
    """The variables by which coverage follows processes that the tests start."""
    return {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}


async def until(happened, looks: int = 3000) -> None:
    """Wait for something, for a minute and longer: how quick the machine is decides nothing."""
    for _ in range(looks):
        if happened():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never happened")


def run_folders(bench) -> list[Path]:
    """Those that hold anything: a run that was killed as it began leaves an empty one."""
    folders = sorted((bench.folder / "output" / "runs").iterdir())
    return [folder for folder in folders if any(folder.iterdir())]


def all_lines(bench) -> list[ResultLine]:
    files = [folder / "results.jsonl" for folder in run_folders(bench)]
    return [line for file in files for line in read_lines(str(file))]


def reports(bench) -> list[dict[str, Any]]:
    found = [json.loads((folder / "report.json").read_bytes()) for folder in run_folders(bench)]
    for report in found:
        assert_valid(report)
    return found


def assert_nothing_lost_or_doubled(bench, contents: int, *, replayed: bool) -> None:
    lines = [line for line in all_lines(bench) if line.status == "scanned"]
    counts = Counter(line.sha256 for line in lines)
    assert set(counts.values()) == {1}
    assert len(counts) == contents
    doubtful = sum(report["credits"]["outcome_unknown"] for report in reports(bench))
    assert contents <= bench.charged() <= contents + doubtful
    assert bench.charged() == contents or not replayed
    for report in reports(bench):
        files = report["files"]
        parts = ("unchanged", "scanned", "reused", "rejected", "failed", "deferred")
        assert files["seen"] == sum(files[part] for part in parts)


async def killed_at(bench, point: str, nth: int, *words: str) -> None:
    """Run the command until it kills itself."""
    program = (str(Path(killing.__file__)), point, str(nth))
    code, _, err = await Process(bench).run(*words, program=program)
    assert code == -signal.SIGKILL, err
