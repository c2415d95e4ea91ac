"""Killed runs over versions of a few pictures: what is covered, and by what, whatever happens.

As `campaigns`, with what matters where one answer holds for many files: two folders, the mode and
the clock change from run to run, people split and join, and the service refuses the picture that
is asked about for all, answers it oddly, or loses its answer.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from batchscan.commands.renditions import join, split
from batchscan.emulator import Fault
from batchscan.emulator.fault_actions import Action, AnswerInstead, Odd, Reset
from batchscan.results import ResultLine
from tests.support.bench import Bench
from tests.support.campaigns import SEED, digest
from tests.support.inside import connection_of
from tests.support.photographs import encoded, photograph, resized
from tests.support.pictures import tree
from tests.support.processes import Process, Running, all_lines, kill_after, reports
from tests.support.result_lines import read_lines

FAMILIES, WIDTHS = 4, (480, 400, 320, 240)
NAMES = ("a.jpg", "b-300x200.jpg", "c.jpg", "d-scaled.jpg", "e.jpg", "f.jpg")
REFUSALS: tuple[Action, ...] = (
    AnswerInstead(status=413),
    AnswerInstead(status=415, code=10),
    AnswerInstead(status=500),
    Odd(body="wrong_types"),
    Odd(body="no_list"),
    Odd(body="huge"),
    Reset(when="after"),
    AnswerInstead(status=409),
)
MODES = ("cover",) * 6 + ("report",) * 2 + ("ask",)
MORE: tuple[tuple[str, ...], ...] = (
    (),
    (),
    ("--rehash",),
    ("--max-credits", "1"),
    ("--rescan-after", "30d"),
)
CLOCK = (
    "import sys, time; now = time.time; time.time = lambda: now() + {};"
    "from batchscan.cli import main; sys.exit(main())"
)
DAY = 86_400
SETTINGS = "output: {keep_runs: 100000}\napi: {attempts: 2}\n"
ANSWERED = (
    "SELECT lower(hex(p.sha256)), a.scan_id, a.trouble FROM answers a"
    " JOIN pictures p ON p.id = a.picture_id"
)


@cache
def versions() -> dict[tuple[int, int], bytes]:
    """The versions of some pictures, the largest first."""
    return {
        (family, number): encoded(
            resized(photograph(80 + family, (480, 360)), width), quality=90 - number
        )
        for family in range(FAMILIES)
        for number, width in enumerate(WIDTHS)
    }


@dataclass
class CoveredCampaign:
    """The life of two folders of versions."""

    bench: Bench
    seed: int = SEED
    kills: int = 0
    clock: float = 0.0  # seconds that the machine's clock is ahead
    joined: bool = False
    codes: Counter[int] = field(default_factory=Counter)
    did: Counter[str] = field(default_factory=Counter)
    held: set[tuple[str, str]] = field(default_factory=set)  # which content was ever where
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        (self.bench.folder / "config.yaml").write_text(SETTINGS)
        self.families = {digest(data): family for (family, _), data in versions().items()}

    @property
    def roots(self) -> tuple[Path, Path]:
        return self.bench.images, self.bench.folder / "other"

    async def run(self, runs: int) -> None:
        """Edit, break and scan, and hold each line to what is promised."""
        for root in self.roots:
            root.mkdir(exist_ok=True)
        for _ in range(10):
            self._put()
        for _ in range(runs):
            for _ in range(self.chance.randrange(4)):
                self._edit()
            await self._scan()
        self.bench.emulator.faults = ()
        for more in ((), ("--rehash",), ()):
            code = await self._ended(await self._started("cover", *more), "cover", len(more) == 0)
            assert code in (0, 3), (self.seed, code)
        self.assert_sound()
        print(self.seed, self.kills, "kills; by exit code:", dict(self.codes), dict(self.did))

    def _files(self) -> list[Path]:
        return sorted(each for root in self.roots for each in root.rglob("*.jpg"))

    def _put(self) -> None:
        root = self.chance.choice(self.roots)
        folder = self.chance.choice(("", "x/", "x/y/"))
        content = self.chance.choice(list(versions().values()))
        tree(root, {f"{folder}{self.chance.choice(NAMES)}": content})

    def _edit(self) -> None:
        files = self._files()
        what = self.chance.choice(("put", "put", "put", "delete", "move", "split", "join"))
        if what == "put" or len(files) < 4:
            self._put()
            return
        self.did[what] += 1
        one, other = self.chance.sample(files, 2)
        if what == "delete":
            one.unlink()
        elif what == "move":
            one.replace(other)
        elif (self.bench.folder / "state" / "ledger.sqlite3").exists():
            self._decide(what, one, other)

    def _decide(self, what: str, one: Path, other: Path) -> None:
        with self.bench.ledger() as ledger, ledger.transaction(writing=True):
            if what == "split":
                split(ledger, str(one), "ines", None)
            elif one.read_bytes() != other.read_bytes():
                join(ledger, str(one), str(other), "ines", None)
                self.joined = True

    def _faults(self) -> tuple[Fault, ...]:
        """The service refuses what is called so, some or all of the time."""
        names = self.chance.sample(NAMES, self.chance.randrange(3))
        found = []
        for name in names:
            action = self.chance.choice(REFUSALS)
            self.did[type(action).__name__] += 1
            count = self.chance.choice((None, 1, 2))
            found.append(Fault(route="check", action=action, file_name=name, count=count))
        return tuple(found)

    async def _scan(self) -> None:
        """Scan, and most times kill that after some requests and a moment."""
        self.bench.emulator.faults = self._faults()
        mode = self.chance.choice(MODES)
        more = self.chance.choice(MORE)
        self.clock += self.chance.choice((0, 0, 0, DAY, 40 * DAY, -2 * DAY))
        self.did[" ".join([mode, *more[:1]])] += 1
        for path in self._files():
            self.held.add((str(path), digest(path.read_bytes())))
        process = await self._started(mode, *more)
        if self.chance.random() < 0.7:
            requests = self.chance.randrange(5)
            pause, latest = self.chance.uniform(0, 0.2), self.chance.uniform(0.5, 4.0)
            await kill_after(process, self.bench, requests, pause, latest)
        await self._ended(process, mode, "--rescan-after" not in more)

    async def _started(self, mode: str, *more: str) -> Running:
        command = Process(self.bench)
        command.environment["BATCHSCAN_CONFIG"] = str(self.bench.folder / "config.yaml")
        words = ["-q", "--retry-for", "10s", "--rate", "100/s", "--renditions", mode, *more]
        words += ["-j", str(self.chance.choice((1, 4, 16))), str(self.roots[1])]
        return await command.start(*words, program=("-c", CLOCK.format(self.clock)))

    async def _ended(self, process: Running, mode: str, once: bool) -> int:
        out, err = await process.communicate()
        said, code = (out + err).decode(), process.returncode
        assert code is not None
        assert "Traceback" not in said, (self.seed, said)
        assert code in (0, 3, 5, 8, -9), (self.seed, code, said)
        self.codes[code] += 1
        self.kills += code == -9
        if code != -9:
            self.assert_lines(self._newest(), mode, once=once)
        return code

    def _newest(self) -> Path:
        return max((self.bench.folder / "output" / "runs").iterdir(), key=os.path.getctime)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """What the ledger says."""
        with self.bench.ledger() as ledger:
            return connection_of(ledger).execute(query).fetchall()

    def assert_lines(self, run: Path, mode: str, *, once: bool) -> None:
        """What is true of the lines of a run that ended."""
        lines = list(read_lines(str(run / "results.jsonl")))
        scanned = Counter(line.sha256 for line in lines if line.status == "scanned")
        assert not once or set(scanned.values()) <= {1}, (self.seed, run.name, scanned)
        covered = [line for line in lines if line.covered_by is not None]
        assert {line.status for line in covered} <= {"covered"}
        assert mode == "cover" or not covered, (self.seed, run.name)
        for line in covered:
            assert line.sha256 not in scanned, (self.seed, run.name, line.path)

    def assert_covered(self, line: ResultLine, answered: dict[str, set[str]]) -> None:
        """A line's answer is that of the file that it names, which was really asked about."""
        by, about = line.covered_by, (self.seed, line)
        assert by is not None
        assert line.sha256 is not None
        assert line.scan_id in answered.get(by.sha256, ()), about
        assert (line.credits, line.attempts, line.reason) == (0, 0, None), about
        asked = [each for each in self.bench.checks() if each.sha256 == by.sha256]
        assert os.path.basename(by.path) in {each.file_name for each in asked}, about
        assert (by.path, by.sha256) in self.held, about
        assert (line.path, line.sha256) in self.held, about
        same = self.families[by.sha256] == self.families[line.sha256]
        assert same or (self.joined and by.rule == "joined"), about

    def assert_sound(self) -> None:
        """Every answer stands in one run, nothing is covered by what has none, the books close."""
        answered: dict[str, set[str]] = {}
        readable = set()
        for sha256, scan_id, trouble in self.ask(ANSWERED):
            if trouble is None:
                answered.setdefault(sha256, set()).add(scan_id)
                readable.add(scan_id)
        lines = all_lines(self.bench)
        scanned = Counter(line.scan_id for line in lines if line.status == "scanned")
        assert scanned == Counter(readable), self.seed
        for line in lines:
            if line.covered_by is not None:
                self.assert_covered(line, answered)
        doubtful = 0
        for report in reports(self.bench):
            files = report["files"]
            parts = ("unchanged", "scanned", "reused", "covered", "rejected", "failed", "deferred")
            assert files["seen"] == sum(files[part] for part in parts), self.seed
            assert files["seen"] == files["checked"] + files["unchecked"], self.seed
            doubtful += report["credits"]["outcome_unknown"]
        kept = len(self.ask("SELECT scan_id FROM answers"))
        assert 0 <= self.bench.charged() - kept <= doubtful, (self.seed, kept, doubtful)
        self.bench.assert_sound()
