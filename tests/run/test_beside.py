"""Every command beside every other, as processes of their own: none ends another, none is lost.

`BATCHSCAN_ROUNDS=12` has them meet so many times.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from typing import Any

import pytest

from batchscan.emulator.bodies import VendorMatch
from tests.support.bench import Bench
from tests.support.pictures import png
from tests.support.processes import BATCHSCAN, Process, all_lines
from tests.support.review import Reader, reading
from tests.support.web_sites import ok, site

MARKED = ("one.example", "two.example", "three.example")
REVIEWED, ASKED = "four.example", "five.example"  # on the page; by rechecks and captures
SITES = (*MARKED, REVIEWED, ASKED)
DECIDED = ("reviewed", "not_mine", "reviewed")
HELD = ("--if-locked", "wait")
ROUNDS = int(os.environ.get("BATCHSCAN_ROUNDS", "2"))
SETTINGS = """
alerts:
  on_new: [{python}, -c, "import sys; sys.stdin.read()"]
output:
  keep_runs: 20
recheck:
  pause: 0s
"""


def commands(bench: Bench, number: int, port: int = 0) -> dict[str, tuple[str, ...]]:
    """Every command that opens the ledger, once; `number` makes names of files new."""

    def to(name: str) -> str:
        return str(bench.folder / f"{number}-{name}")

    one, other = str(bench.images / "p000.png"), str(bench.images / "p001.png")
    web = ("--connect-to", f":80:127.0.0.1:{port}", "--json")
    return {
        "scan": ("scan", "--force", "-q", "--rate", "1000/s", *HELD, "IMAGES"),
        "scan again": ("scan", "-q", "--rate", "1000/s", *HELD, "IMAGES"),
        "dry run": ("scan", "-n", "-q", "IMAGES"),
        "mark one": ("mark", "reviewed", SITES[0]),
        "mark two": ("mark", "not-mine", f"*{SITES[1]}/*"),
        "mark three": ("mark", "reviewed", SITES[2], "--images", "*.png"),
        "mark --undo": ("mark", "--undo"),
        "recheck": (
            "recheck",
            "--url",
            f"http://{ASKED}/*",
            "--images",
            "p00[0-3].png",
            *web,
            *HELD,
        ),
        "capture": ("evidence", "capture", "--domain", ASKED, "--images", "p000.png", *web),
        "split": ("renditions", "split", one),
        "join": ("renditions", "join", one, other),
        "renditions": ("renditions", "list"),
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


@dataclass
class Reviewing:
    """Somebody who decides on the page of `batchscan review` as long as it is wanted."""

    reader: Reader
    decided: int = 0
    enough: bool = False

    async def decide(self) -> None:
        """Decide about the open matches of a site one by one; open them again when none is left."""
        changes = {"open": "reviewed", "reviewed": "open"}
        shown = "open"
        while not self.enough:
            await self.reader.show(f"by=picture&site={REVIEWED}&disposition={shown}")
            if self.reader.seen:
                await self.reader.decide(changes[shown], note="on the page")
                self.decided += not self.reader.attribute("warning")  # else `--undo` was quicker
            else:
                shown = changes[shown]
            await asyncio.sleep(0.1)  # a person looks


@asynccontextmanager
async def reviewing(bench: Bench) -> AsyncIterator[Reviewing]:
    """`batchscan review` as a process, with somebody at its page."""
    process = await started(bench, ("review", "--no-open"))
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode().strip()
    try:
        async with reading(line) as reader, asyncio.TaskGroup() as group:
            person = Reviewing(reader)
            group.create_task(person.decide())
            yield person
            person.enough = True
    finally:
        process.send_signal(signal.SIGTERM)
        _, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    assert "Traceback" not in err.decode()


async def started(bench: Bench, words: Sequence[str]) -> asyncio.subprocess.Process:
    folder = bench.folder
    options = ["-o", folder / "output", "--state", folder / "state", "-c", folder / "config.yaml"]
    given = [str(bench.images) if word == "IMAGES" else word for word in words]
    return await asyncio.create_subprocess_exec(
        sys.executable, "-P", *BATCHSCAN, *given, *map(str, options),
        env=Process(bench).environment, cwd="/", stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def ended(bench: Bench, words: Sequence[str]) -> tuple[int, str, str]:
    process = await started(bench, words)
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def assert_good(bench: Bench, rounds: int, pictures: int, matches: int) -> None:
    """Run every command at once with every other, some rounds long."""
    bench.pictures(pictures)
    (bench.folder / "config.yaml").write_text(SETTINGS.format(python=sys.executable))
    (bench.folder / "config.yaml").chmod(0o600)
    first = commands(bench, 0)
    # What `--undo` takes back is never what the others rest on
    spare = [("mark", "reviewed", f"http://{ASKED}/*/{n}.jpg") for n in copies_of(ASKED, matches)]
    for words in (first["scan"], first["mark one"], *spare[: rounds + 1]):
        code, _, err = await ended(bench, words)
        assert (code, err) == (0, "")
    found: dict[str, list[tuple[int, str, str]]] = {}
    async with (
        site(lambda path: ok(png(16, 16, 1), "Content-Type: image/png")) as web,
        reviewing(bench) as person,
    ):
        for number in range(1, rounds + 1):
            at_once = commands(bench, number, web.port)
            for name, said in (await beside_each_other(bench, at_once, number)).items():
                found.setdefault(name, []).append(said)
    for name, results in found.items():
        for code, out, err in results:
            allowed = {0, 7} if name == "send" else {0}  # it waits for no lock
            assert code in allowed, (name, out[-300:], err)
            assert "Traceback" not in err, (name, err)
    for _, out, _ in found["report all"]:
        assert json.loads(out)["matches"]["total"] == pictures * matches
    assert {len(out.splitlines()) for _, out, _ in found["export"]} == {pictures}
    assert person.decided > 0
    await assert_nothing_lost(bench, found, person.decided)


async def beside_each_other(
    bench: Bench, at_once: dict[str, tuple[str, ...]], seed: int
) -> dict[str, tuple[int, str, str]]:
    chance = random.Random(seed)

    async def later(words: tuple[str, ...], pause: float) -> tuple[int, str, str]:
        await asyncio.sleep(pause)
        return await ended(bench, words)

    pauses = [chance.random() * 0.5 for _ in at_once]
    found = await asyncio.gather(*map(later, at_once.values(), pauses))
    return dict(zip(at_once, found, strict=True))


async def assert_nothing_lost(
    bench: Bench, found: dict[str, list[tuple[int, str, str]]], decided: int
) -> None:
    """Every payment, decision, recheck and capture that was reported stands in the ledger."""

    def one(query: str) -> Any:
        with closing(sqlite3.connect(bench.folder / "state" / "ledger.sqlite3")) as ledger:
            return ledger.execute(query).fetchone()[0]

    assert one("SELECT sum(credits) FROM answers") == bench.charged()
    assert one("SELECT count(*) FROM runs WHERE NOT closed") == 0
    lines = Counter(line.scan_id for line in all_lines(bench) if line.status == "scanned")
    assert set(lines.values()) == {1}
    assert one("SELECT count(*) FROM decisions WHERE note = 'on the page'") == decided
    undone = sum(out.startswith("undone: ") for _, out, _ in found["mark --undo"])
    assert one("SELECT count(*) FROM decisions WHERE undoes NOT NULL") == undone
    assert one("SELECT count(*) FROM decisions WHERE NOT complete") == 0
    captured = sum(len(json.loads(out)["matches"]) for _, out, _ in found["capture"])
    assert one("SELECT count(*) FROM captures") == captured
    files = [name for _, _, names in os.walk(bench.folder / "state") for name in names]
    assert sum(name.endswith(".warc.gz") for name in files) == captured
    for _, out, _ in found["recheck"]:
        assert json.loads(out)["counts"]["there"] == len(json.loads(out)["matches"]) > 0
    words = one("SELECT group_concat(word, ' ') FROM rendition_decisions").split()
    assert Counter(words) == {"split": len(found["split"]), "join": len(found["join"])}
    for name, domain, word in zip(
        ("mark one", "mark two", "mark three"), MARKED, DECIDED, strict=True
    ):
        code, _, err = await ended(bench, (*commands(bench, 0)[name], "--force"))
        assert (code, err) == (0, "")
        query = "SELECT group_concat(DISTINCT disposition) FROM sightings WHERE domain = "
        assert one(f"{query}'{domain}'") == word


def copies_of(name: str, matches: int) -> range:
    """The numbers of a site's copies."""
    return range(SITES.index(name), matches, len(SITES))


def copies(matches: int):
    def found(sha256: str) -> list[VendorMatch]:
        return [
            VendorMatch(f"http://{SITES[n % len(SITES)]}/{sha256[:8]}/{n}.jpg", 0, ())
            for n in range(matches)
        ]

    return found


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_all_commands_at_once(bench_with):
    async with bench_with(copies=copies(30)) as bench:
        await assert_good(bench, 1, 20, 30)


@pytest.mark.slow
@pytest.mark.timeout(400 * ROUNDS)
async def test_all_commands_at_once_again_and_again(bench_with):
    async with bench_with(copies=copies(100)) as bench:
        await assert_good(bench, ROUNDS, 40, 100)  # 351 pairs a round, and the page beside them
