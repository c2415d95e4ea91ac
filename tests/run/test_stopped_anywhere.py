"""Two signals to every command, at any moment of its life: none shows a traceback of ours."""

from __future__ import annotations

import asyncio
import itertools
import random
import re
import signal
import sys

import pytest

from tests.support.processes import BATCHSCAN, Process

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("scan", "IMAGES", "--force", "--rate", "5/s"),
    ("scan", "IMAGES", "-n"),
    ("report", "--json"),
    ("report", "--all", "--html", "TO/a.html"),
    ("export",),
    ("stats",),
    ("mark", "reviewed", "one.example", "--force"),
    ("allow", "list"),
    ("takedown", "--to", "TO/drafts"),
    ("evidence", "pack", "--to", "TO/e.zip"),
    ("alerts", "pending"),
    ("credits",),
    ("doctor",),
    ("state", "check"),
    ("state", "vacuum"),
    ("state", "prune", "--older-than", "0s"),
    ("schedule", "--cron", "IMAGES"),
    ("emulator", "--port", "0"),
    ("review", "--no-open"),
    ("demo", "TO/demo"),
)
LONGEST = 2.0  # seconds of a command's life in which it is stopped
ROUNDS = 1
# The modules that are loaded before our handler is there are none of these.
OURS = re.compile(r"/batchscan/\w+/\w+\.py")


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_two_signals_at_any_moment_leave_no_traceback_of_ours(bench_with):
    async with bench_with(latency=0.2) as bench:
        bench.pictures(10)
        assert (await Process(bench).run("-q"))[0] == 0
        where = f"directory: {bench.folder}/output, state: {bench.folder}/state"
        (bench.folder / "config.yaml").write_text(f"output: {{{where}}}\n")
        chance = random.Random(12)
        pairs = list(itertools.product(SIGNALS, SIGNALS))
        work = [(words, chance.choice(pairs), chance.uniform(0.1, LONGEST))
                for words in COMMANDS for _ in range(ROUNDS)]  # fmt: skip
        at_once = asyncio.Semaphore(4)

        async def stop(number: int) -> None:
            words, signals, after = work[number]
            async with at_once:
                code, err = await stopped(bench, number, words, signals, after)
            told = (words, [each.name for each in signals], round(after, 2), code, err)
            # Before our first line runs, and after our last one, Python answers for itself.
            assert "Traceback" not in err or not OURS.search(err), told
            assert "this is a bug" not in err, told

        await asyncio.gather(*map(stop, range(len(work))))


async def stopped(bench, number, words, signals, after) -> tuple[int | None, str]:
    """Start a command, and send it two signals."""
    folder = bench.folder / f"to-{number}"
    folder.mkdir()
    names = {"IMAGES": str(bench.images)}
    given = [names.get(word, word.replace("TO/", f"{folder}/")) for word in words]
    settings = bench.folder / "config.yaml"
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-P", *BATCHSCAN, *given,
        env={**Process(bench).environment, "BATCHSCAN_CONFIG": str(settings)}, cwd=folder,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    await asyncio.sleep(after)
    for each in signals:
        if started.returncode is None:
            started.send_signal(each)
            await asyncio.sleep(0.02)
    try:
        async with asyncio.timeout(90):
            _, err = await started.communicate()
    except TimeoutError:
        started.kill()
        _, err = await started.communicate()
        raise AssertionError((words, signals, after, err.decode())) from None
    return started.returncode, err.decode()
