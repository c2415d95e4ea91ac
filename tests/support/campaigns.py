"""Runs of the command over a tree that is edited between them, into faults, most of them killed."""

from __future__ import annotations

import hashlib
import io
import os
import random
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import pillow_heif

from batchscan.emulator import Fault
from batchscan.emulator.fault_actions import (
    Action,
    AnswerInstead,
    Delay,
    Drip,
    Reset,
    RevokeTokens,
    Tear,
)
from tests.support import pictures
from tests.support.bench import Bench
from tests.support.photographs import encoded, photograph, resized
from tests.support.processes import Process, Running, all_lines, kill_after, reports

FAULTS: tuple[Action, ...] = (
    Reset(when="before"),
    Reset(when="reading"),
    Reset(when="after"),
    AnswerInstead(status=500, when="after"),
    AnswerInstead(status=500),
    AnswerInstead(status=502, when="after", body="html"),
    AnswerInstead(status=503, headers={"Retry-After": "0"}),
    AnswerInstead(status=429, headers={"Retry-After": "0"}),
    AnswerInstead(status=401),
    Tear(),
    Drip(piece=64, seconds=0.01),
    Delay(seconds=0.3),
    RevokeTokens(),
)
RUNS = int(os.environ.get("BATCHSCAN_CAMPAIGN", "2"))
SEED = int(os.environ.get("BATCHSCAN_SEED", "1"))
WINDOW, IN_WINDOW = 20.0, 60  # seconds, and requests that may leave in them
RATES = ("--rate", "100/s", "--rate", f"{IN_WINDOW}/20s")
SETTINGS = "output: {keep_runs: 100000}\napi: {attempts: 3}\n"
GOOD, BAD = ("png", "jpg", "tif", "heic", "small"), ("junk", "empty")


class Place(Protocol):
    """Where the pictures are."""

    @property
    def root(self) -> str: ...  # as PATH

    def names(self) -> list[str]: ...

    def read(self, name: str) -> bytes: ...

    def write(self, name: str, data: bytes) -> None: ...

    def remove(self, name: str) -> None: ...


@dataclass
class Folder:
    """Pictures on this machine."""

    path: Path

    @property
    def root(self) -> str:
        return str(self.path)

    def names(self) -> list[str]:
        return sorted(
            str(each.relative_to(self.path)) for each in self.path.rglob("*") if each.is_file()
        )

    def read(self, name: str) -> bytes:
        return (self.path / name).read_bytes()

    def write(self, name: str, data: bytes) -> None:
        pictures.tree(self.path, {name: data})

    def remove(self, name: str) -> None:
        (self.path / name).unlink()


@cache
def content(kind: str, seed: int) -> bytes:
    """One of the pictures of a campaign, and what is none."""
    match kind:
        case "junk":
            return b"no picture at all"
        case "empty":
            return b""
        case "tif":
            return pictures.tiff(32, 24, seed)
        case "heic":
            out = io.BytesIO()
            pillow_heif.from_pillow(pictures.image(64, 48, seed)).save(out, quality=80)
            return out.getvalue()
        case "png":
            return pictures.png(16, 16, seed)
        case _:
            scene = photograph(seed % 6, (480, 360))
            return encoded(scene if kind == "jpg" else resized(scene, 240 + seed % 3 * 20))


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass
class Campaign:
    """A folder's life: edited, scanned, killed, and in the end looked at."""

    bench: Bench
    place: Place
    words: tuple[str, ...] = ()  # for every run, such as --renditions cover
    environment: dict[str, str] = field(default_factory=dict)  # more of it
    seed: int = SEED
    kills: int = 0
    codes: Counter[int] = field(default_factory=Counter)
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        (self.bench.folder / "config.yaml").write_text(SETTINGS)

    async def run(self, runs: int = RUNS) -> None:
        """Edit, break and scan, and hold what is left to what is promised."""
        for _ in range(12):
            self._add()
        for _ in range(runs):
            for _ in range(self.chance.randrange(4)):
                self._edit()
            self.bench.emulator.faults = self._faults()
            await self._scan()
        self.bench.emulator.faults = ()
        await self._finish()
        print(*self.words, self.kills, "kills; by exit code:", dict(self.codes))

    def _name(self) -> str:
        folder = self.chance.choice(("", "a/", "a/b/", "c/"))
        return f"{folder}p{self.chance.randrange(60):02}"

    def _add(self) -> None:
        kind = self.chance.choices((*GOOD, *BAD), (6, 3, 2, 1, 3, 1, 1))[0]
        ending = {"small": "jpg", "junk": "jpg", "empty": "png"}.get(kind, kind)
        self.place.write(f"{self._name()}.{ending}", content(kind, self.chance.randrange(40)))

    def _edit(self) -> None:
        names = self.place.names()
        what = self.chance.choice(("add", "add", "add", "remove", "move", "copy", "again"))
        if what == "add" or len(names) < 4:
            self._add()
            return
        name = self.chance.choice(names)
        data, (_, _, ending) = self.place.read(name), name.rpartition(".")
        if what in ("remove", "move"):
            self.place.remove(name)
        if what in ("move", "copy"):
            self.place.write(f"{self._name()}.{ending}", data)
        if what == "again":  # the same bytes, another time
            self.place.write(name, data)

    def _faults(self) -> tuple[Fault, ...]:
        return tuple(
            Fault(route="check", action=action, probability=0.25, seed=self.chance.randrange(99))
            for action in self.chance.sample(FAULTS, self.chance.randrange(4))
        )

    async def _scan(self) -> None:
        """Scan, and most times kill that after some requests and a moment."""
        options = [*self.words, "-q", "--retry-for", "20s", *RATES]
        options += ["-j", str(self.chance.choice((1, 4, 16)))]
        options += self.chance.choice(([], [], ["--rehash"], ["--max-credits", "3"]))
        process = await self._started(*options)
        killed = self.chance.random() < 0.85
        if killed:
            requests = self.chance.randrange(10)
            pause, latest = self.chance.uniform(0, 0.3), self.chance.uniform(0.2, 4.0)
            await kill_after(process, self.bench, requests, pause, latest)
        await self._ended(process)

    async def _started(self, *options: str) -> Running:
        command = Process(self.bench, forks=False)
        command.environment["BATCHSCAN_CONFIG"] = str(self.bench.folder / "config.yaml")
        command.environment |= self.environment
        root = () if self.place.root == str(self.bench.images) else (self.place.root,)
        self.bench.images.mkdir(exist_ok=True)
        return await command.start(*options, *root)

    async def _ended(self, process: Running) -> int:
        out, err = await process.communicate()
        assert process.returncode is not None
        said = (out + err).decode()
        assert "Traceback" not in said, (self.seed, said)
        assert process.returncode in (0, 3, 4, 5, 8, -9), (self.seed, process.returncode, said)
        self.codes[process.returncode] += 1
        self.kills += process.returncode == -9
        if process.returncode == 0:
            self.assert_all_checked()
        return process.returncode

    async def _finish(self) -> None:
        for last in ((), ("--rehash",)):
            code = await self._ended(await self._started(*self.words, "-q", *RATES, *last))
            assert code == 0, (self.seed, code)
        self.assert_sound()

    def contents(self) -> tuple[dict[str, str], int]:
        """The digests of what is a picture in the tree, by name; how many files are none."""
        found = {name: self.place.read(name) for name in self.place.names()}
        bad = [name for name, data in found.items() if data in (b"", content("junk", 0))]
        return {name: digest(data) for name, data in found.items() if name not in bad}, len(bad)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """What the ledger says."""
        with closing(sqlite3.connect(self.bench.folder / "state" / "ledger.sqlite3")) as ledger:
            return ledger.execute(query).fetchall()

    def assert_all_checked(self) -> None:
        """No clean end with a picture that has no answer, or another content's."""
        good, bad = self.contents()
        last = reports(self.bench)[-1]
        files = last["files"]
        assert (files["checked"], files["unchecked"]) == (len(good), bad), (self.seed, files)
        known = {row[0].hex() for row in self.ask(ANSWERED + (COVERED if self.covers else ""))}
        assert set(good.values()) <= known, self.seed

    @property
    def covers(self) -> bool:
        """Whether versions of an answered picture are not asked about."""
        return "cover" in self.words

    def assert_sound(self) -> None:
        """Every answer that was paid for is kept and stands in one run; the books close."""
        answered = {row[0] for row in self.ask(ANSWERS)}
        scanned = Counter(
            line.scan_id for line in all_lines(self.bench) if line.status == "scanned"
        )
        assert set(scanned.values()) == {1}, self.seed
        assert set(scanned) == answered, self.seed
        doubtful = 0
        for report in reports(self.bench):
            files = report["files"]
            parts = ("unchanged", "scanned", "reused", "covered", "rejected", "failed", "deferred")
            assert files["seen"] == sum(files[part] for part in parts), self.seed
            assert files["seen"] == files["checked"] + files["unchecked"], self.seed
            doubtful += report["credits"]["outcome_unknown"]
        self.assert_paid_once(answered, doubtful)
        self.assert_paced()

    def assert_paid_once(self, answered: set[str], doubtful: int) -> None:
        """Nothing is charged beyond the answers but what reports call unknown."""
        charged: Counter[str] = Counter()
        for each in self.bench.checks():
            charged[str(each.scan_id)] += each.charged
        lost = charged.total() - len(answered)
        assert 0 <= lost <= doubtful, (self.seed, lost, doubtful)
        assert answered <= {scan_id for scan_id, number in charged.items() if number}, self.seed
        if self.bench.emulator.config.duplicate == "replay":
            gone = {scan_id for scan_id, number in charged.items() if number} - answered
            there = set(self.contents()[0].values())
            for scan_id in gone:  # of files that were gone before anybody could ask again
                [(sha256,)] = self.ask(CONTENT.format(scan_id))
                assert sha256.hex() not in there or self.covers, (self.seed, scan_id)

    def assert_paced(self) -> None:
        """No window held more than its rate: a tenth is for what was late on its way."""
        at = sorted(each.at for each in self.bench.emulator.journal)
        for first, later in zip(at, at[IN_WINDOW:], strict=False):
            assert later - first >= WINDOW * 0.9, (self.seed, first, later)


ANSWERS = "SELECT scan_id FROM answers"
ANSWERED = (
    "SELECT sha256 FROM pictures WHERE id IN (SELECT picture_id FROM answers)"
    " UNION SELECT sha256 FROM equals"
)
COVERED = " UNION SELECT sha256 FROM covered"
CONTENT = (
    "SELECT sha256 FROM pictures JOIN claims ON claims.picture_id = pictures.id"
    " WHERE claims.scan_id = '{}'"
)
