"""Every command beside every other, as processes of their own: none ends another, none is lost."""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import sys
from collections import Counter
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from batchscan.emulator.bodies import Match
from batchscan.enums import Disposition
from tests.support.bench import Bench
from tests.support.processes import BATCHSCAN, Process, all_lines

SITES = ("one.example", "two.example", "three.example")
HELD = ("--if-locked", "wait")
SETTINGS = """
alerts:
  on_new: [{python}, -c, "import sys; sys.stdin.read()"]
output:
  keep_runs: 20
"""


def commands(folder: Path, number: int) -> dict[str, tuple[str, ...]]:
    """Every command that opens the ledger, once; `number` makes names of files new."""

    def to(name: str) -> str:
        return str(folder / f"{number}-{name}")

    return {
        "scan": ("scan", "--force", "-q", "--rate", "1000/s", *HELD, "IMAGES"),
        "scan again": ("scan", "-q", "--rate", "1000/s", *HELD, "IMAGES"),
        "dry run": ("scan", "-n", "-q", "IMAGES"),
        "mark one": ("mark", "reviewed", SITES[0]),
        "mark two": ("mark", "not-mine", f"*{SITES[1]}/*"),
        "mark three": ("mark", "reviewed", SITES[2], "--images", "*.png"),
        "report": ("report", "--html", to("a.html"), "--csv", to("a.csv")),
        "report all": ("report", "--all", "--json"),
        "export": ("export",),
        "state stats": ("state", "stats"),
        "stats": ("stats",),
        "check": ("state", "check"),
        "backup": ("state", "backup", to("backup.sqlite3")),
        "prune": ("state", "prune", "--older-than", "0s", *HELD),
        "prune -n": ("state", "prune", "-n"),
        "vacuum": ("state", "vacuum", *HELD),
        "pending": ("alerts", "pending"),
        "send": ("alerts", "send"),
        "allow": ("allow", "list"),
        "evidence": ("evidence", "pack", "--domain", SITES[0], "--to", to("e.zip")),
        "takedown": ("takedown", "--to", to("drafts")),
    }


async def ended(bench: Bench, words: tuple[str, ...]) -> tuple[int, str, str]:
    process = Process(bench)
    folder = bench.folder
    options = ["-o", folder / "output", "--state", folder / "state", "-c", folder / "config.yaml"]
    images = [str(bench.images) if word == "IMAGES" else word for word in words]
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-P", *BATCHSCAN, *images, *map(str, options),
        env=process.environment, cwd="/", stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await started.communicate()
    return started.returncode or 0, out.decode(), err.decode()


async def assert_good(bench: Bench, rounds: int, pictures: int, matches: int) -> None:
    bench.pictures(pictures)
    (bench.folder / "config.yaml").write_text(SETTINGS.format(python=sys.executable))
    (bench.folder / "config.yaml").chmod(0o600)
    for name in ("scan", "mark one"):  # a takedown has something to write of
        code, _, err = await ended(bench, commands(bench.folder, 0)[name])
        assert (code, err) == (0, "")
    chance, numbers = random.Random(11), count(1)

    async def later(words: tuple[str, ...]) -> tuple[int, str, str]:
        await asyncio.sleep(chance.random() * 0.5)
        return await ended(bench, words)

    for _ in range(rounds):
        started = commands(bench.folder, next(numbers))
        found = await asyncio.gather(*map(later, started.values()))
        for name, (code, out, err) in zip(started, found, strict=True):
            allowed = {0, 7} if name == "send" else {0}  # it waits for no lock
            assert code in allowed, (name, out[-300:], err)
            assert "Traceback" not in err, (name, err)
        assert len(found[list(started).index("export")][1].splitlines()) == pictures
        whole = json.loads(found[list(started).index("report all")][1])
        assert whole["matches"]["total"] == pictures * matches
    assert_nothing_lost(bench)


def assert_nothing_lost(bench: Bench) -> None:
    with closing(sqlite3.connect(bench.folder / "state" / "ledger.sqlite3")) as ledger:
        [paid] = ledger.execute("SELECT sum(credits) FROM answers").fetchone()
        marks = Counter(ledger.execute("SELECT domain, disposition FROM sightings"))
        [closed] = ledger.execute("SELECT count(*) FROM runs WHERE NOT closed").fetchone()
    assert paid == bench.charged()
    assert closed == 0
    decided = (Disposition.REVIEWED, Disposition.NOT_MINE, Disposition.REVIEWED)
    assert set(marks) == set(zip(SITES, decided, strict=True))
    lines = Counter(line.scan_id for line in all_lines(bench) if line.status == "scanned")
    assert set(lines.values()) == {1}


def copies(matches: int):
    def found(sha256: str) -> list[Match]:
        return [
            Match(f"https://{SITES[n % 3]}/{sha256[:8]}/{n}.jpg", 0, ()) for n in range(matches)
        ]

    return found


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_all_commands_at_once(bench_with):
    async with bench_with(copies=copies(30)) as bench:
        await assert_good(bench, 1, 20, 30)


@pytest.mark.slow
@pytest.mark.timeout(1200)
async def test_all_commands_at_once_again_and_again(bench_with):
    async with bench_with(copies=copies(300)) as bench:
        await assert_good(bench, 4, 60, 300)  # 210 pairs a round
