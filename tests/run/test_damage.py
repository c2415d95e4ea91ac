"""Ledgers that are damaged: nothing is paid again without a word, and no command shows a bug."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from batchscan.emulator import Emulator, EmulatorConfig
from batchscan.emulator.bodies import VendorMatch
from tests.support.bench import FAST, Bench
from tests.support.kept_state import alter, keep, put_back
from tests.support.pictures import png, tree
from tests.support.processes import SEVERAL, Process

SITE = "one.example"
SQL = {
    "a body": "UPDATE answers SET body = x'789c00' WHERE id = 2",
    "a body of another type": "UPDATE answers SET body = 7 WHERE id = 2",
    "a run's facts": "UPDATE runs SET facts = x'7b'",
    "a run's report": "UPDATE runs SET report = x'7b'",
    "a run's pictures": "UPDATE runs SET matched = x'00ff'",
    "lines": "UPDATE outcomes SET line = x'7b'",
    "pages": "UPDATE sightings SET pages = x'5b'",
    "kinds": "UPDATE sightings SET kind = 'none'",
    "decisions": "UPDATE sightings SET disposition = 'maybe'",
    "times of matches": "UPDATE sightings SET first_seen = 'soon'",
    "provenance": "UPDATE portraits SET provenance = x'7b'",
    "refusals": "UPDATE pictures SET refusal = x'7b'",
    "sizes": "UPDATE pictures SET width = 'wide'",
    "states of claims": "UPDATE claims SET state = 'answerec'",
    "an answer": "DELETE FROM answers WHERE id = 2",
    "a picture": "DELETE FROM pictures WHERE id = 2",
    "a content": "UPDATE pictures SET sha256 = zeroblob(32) WHERE id = 2",
    "rejections": "UPDATE files SET line = x'7b' WHERE line NOT NULL",
    "names": "UPDATE files SET name = CAST(name AS TEXT)",
    "folders": "UPDATE folders SET path = 7 WHERE id = 1",
    "seals": "UPDATE seals SET matched = x'c1'",
    "credits": "UPDATE answers SET credits = 'many'",
    "times of answers": "UPDATE answers SET received_at = 'soon'",
    "times of answers beyond the calendar": "UPDATE answers SET received_at = 1e300",
    "times of answers before the calendar": "UPDATE answers SET received_at = -1e18",
    "an infinite time of answers": "UPDATE answers SET received_at = 9e999",
    "times of claims beyond the calendar": "UPDATE claims SET opened_at = 1e300",
    "times of runs beyond the calendar": "UPDATE runs SET started_at = 1e300",
    "times of matches beyond the calendar": "UPDATE sightings SET first_seen = 1e300",
}


@dataclass
class Damaged:
    """A state folder that can be put back, and what was paid for until it was made."""

    bench: Bench
    checks: int

    @property
    def ledger(self) -> Path:
        return self.bench.folder / "state" / "ledger.sqlite3"

    def put_back(self) -> None:
        put_back(self.bench)

    def alter(self, sql: str) -> None:
        alter(self.bench, sql)

    async def scan(self, *words: str) -> tuple[int, str]:
        code, out, err = await Process(self.bench).run(*words)
        assert "Traceback" not in err, err
        assert "this is a bug" not in out + err
        return code, err

    async def assert_silent_about_nothing(self, what: object) -> None:
        """Scan again: what is sent again must be said, and every other command ends in order."""
        code, err = await self.scan("--rehash")
        again = len(self.bench.checks()) - self.checks
        assert again == 0, (what, code, err)
        assert code in (0, 9), (what, code, err)
        if code == 9:
            assert "ledger" in err, (what, err)
            assert "state check" in err, (what, err)
        await self.assert_readable(what)
        self.checks = len(self.bench.checks())

    async def assert_readable(self, what: object) -> None:
        folder = self.bench.folder
        options = ["--state", str(folder / "state"), "-o", str(folder / "output")]
        words = [
            ["report", *options],
            ["report", "--all", "--json", *options],
            ["export", *options],
            ["export", "--format", "csv", *options],
            ["evidence", "pack", "--domain", SITE, "--to", str(folder / "e.zip"), *options],
            ["mark", "reviewed", SITE, "-n", *options],
            ["takedown", "--to", str(folder / "drafts"), *options],
            ["state", "stats", *options],
            ["state", "check", *options],
        ]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SEVERAL, json.dumps(words),
            env=Process(self.bench).environment, cwd="/",
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, err = await process.communicate()
        text = err.decode()
        assert "Traceback" not in text, (what, text)
        assert "this is a bug" not in text, (what, text)
        codes = json.loads(text.splitlines()[-1])
        assert set(codes) <= {0, 2, 9}, (what, codes, text)
        (folder / "e.zip").unlink(missing_ok=True)
        shutil.rmtree(folder / "drafts", ignore_errors=True)


def copies(sha256: str) -> list[VendorMatch]:
    pages = (f"https://{SITE}/page",)
    return [VendorMatch(f"https://{SITE}/{sha256[:8]}/{n}.jpg", 0, pages) for n in range(3)]


@pytest.fixture
async def damaged(tmp_path):
    config = EmulatorConfig(copies=copies, rates=FAST, duplicate="rescan")
    async with Emulator(config) as emulator:
        bench = Bench(tmp_path, emulator)
        bench.images.mkdir()
        bench.pictures(6)
        tree(bench.images, {"other/q.png": png(16, 16, 77), "other/none.png": b"no picture"})
        await bench.scan()
        await bench.scan(force=True)
        keep(bench)
        yield Damaged(bench, len(bench.checks()))


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_selected_damages_are_reported(damaged):
    for what, sql in SQL.items():
        damaged.put_back()
        damaged.alter(sql)
        await damaged.assert_silent_about_nothing(what)


async def test_damage_of_one_picture_leaves_other_folders_alone(damaged):
    damaged.alter("UPDATE answers SET body = x'789c00' WHERE id = 2")
    other = str(damaged.bench.images / "other")
    ran = await damaged.bench.scan(roots=(other,), rehash=True)
    assert ran.exit_code == 0


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_what_can_be_made_again_is(damaged):
    with closing(sqlite3.connect(damaged.ledger)) as ledger:
        query = "SELECT name, rootpage FROM sqlite_master WHERE name IN (?, ?, ?, ?)"
        names = ("seals", "portraits", "answers_by_time", "files_by_picture")
        pages = dict(ledger.execute(query, names).fetchall())
        (size,) = ledger.execute("PRAGMA page_size").fetchone()
    assert set(pages) == set(names)
    for name, number in pages.items():
        damaged.put_back()
        data = bytearray(damaged.ledger.read_bytes())
        data[(number - 1) * size : number * size] = bytes(size)
        damaged.ledger.write_bytes(data)
        code, err = await damaged.scan("--rehash")
        assert (code, len(damaged.bench.checks())) == (0, damaged.checks), (name, err)
        assert "a part of the ledger was damaged and has been rebuilt" in " ".join(err.split())
        with closing(sqlite3.connect(damaged.ledger)) as ledger:
            assert ledger.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def cut(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data)) :]


def flip(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 8, 64))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def zero(data: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(data) // 4096) * 4096
    data[start : start + 4096] = bytes(4096)


def swap(data: bytearray, chance: random.Random) -> None:
    pages = len(data) // 4096
    one, two = (chance.randrange(1, pages) * 4096 for _ in range(2))
    data[one : one + 4096], data[two : two + 4096] = (
        data[two : two + 4096],
        data[one : one + 4096],
    )


def noise(data: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(data))
    data[start : start + 100] = chance.randbytes(len(data[start : start + 100]))


DAMAGES: tuple[Callable[[bytearray, random.Random], None], ...] = (cut, flip, zero, swap, noise)


async def assert_random(damaged: Damaged, seeds: range) -> None:
    for seed in seeds:
        chance = random.Random(seed)
        damaged.put_back()
        data = bytearray(damaged.ledger.read_bytes())
        damage = DAMAGES[seed % len(DAMAGES)]
        damage(data, chance)
        damaged.ledger.write_bytes(data)
        await damaged.assert_silent_about_nothing((seed, damage.__name__))


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_random_damages_are_reported(damaged):
    await assert_random(damaged, range(10))


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("first", range(10, 150, 35))
async def test_more_random_damages_are_reported(damaged, first):
    await assert_random(damaged, range(first, first + 35))
