"""Any history of files and scans: whatever is covered has an answer, and nothing is paid twice."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from batchscan.commands.renditions import join, split
from batchscan.emulator import Emulator, EmulatorConfig, Fault
from batchscan.emulator.fault_actions import AnswerInstead
from batchscan.report.schema import Report
from tests.support.bench import FAST, Bench, Ran
from tests.support.clocks import DAY, LaterClock
from tests.support.photographs import encoded, photograph, resized

FAMILIES = 2
VERSIONS = 4
MONTH = 30 * DAY


@cache
def contents() -> dict[tuple[int, int], bytes]:
    """The versions of a few pictures, the largest first."""
    made = {}
    for family in range(FAMILIES):
        original = photograph(60 + family, (640, 480))
        for version, width in enumerate((640, 500, 400, 300)):
            made[family, version] = encoded(resized(original, width), quality=90 - version)
    return made


NAMES = st.sampled_from(["a.jpg", "b-300x200.jpg", "c/d.jpg", "e.jpg", "f-scaled.jpg", "g.jpg"])
CONTENT = st.tuples(st.integers(0, FAMILIES - 1), st.integers(0, VERSIONS - 1))


@dataclass(frozen=True)
class Put:
    """A file is written, or written over."""

    name: str
    content: tuple[int, int]


@dataclass(frozen=True)
class Delete:
    """A file is gone."""

    name: str


@dataclass(frozen=True)
class Move:
    """A file gets another name."""

    name: str
    to: str


@dataclass(frozen=True)
class Say:
    """Somebody splits a file, or joins two."""

    name: str
    other: str | None


@dataclass(frozen=True)
class Look:
    """A scan."""

    mode: str
    concurrency: int
    days: int  # that have gone by since the one before
    age: str | None  # --rescan-after, --rehash or --force
    failing: str | None  # the service fails for files of this name
    how: int  # by this status
    budget: int | None  # credits


Step: TypeAlias = Put | Delete | Move | Say | Look
LOOKS = st.builds(
    Look,
    st.sampled_from(["cover", "cover", "cover", "report", "ask"]),
    st.sampled_from([1, 4, 16]),
    st.sampled_from([0, 10, 40]),
    st.sampled_from([None, None, "rescan", "rehash", "force"]),
    st.none() | NAMES.map(os.path.basename),
    st.sampled_from([500, 415]),
    st.sampled_from([None, None, 0, 1]),
)
STEPS = st.lists(
    st.builds(Put, NAMES, CONTENT)
    | st.builds(Put, NAMES, CONTENT)
    | st.builds(Delete, NAMES)
    | st.builds(Move, NAMES, NAMES)
    | st.builds(Say, NAMES, st.none() | NAMES)
    | LOOKS
    | LOOKS,
    min_size=4,
    max_size=14,
)


@dataclass
class World:
    """Files, an emulator, and what must be true of both after each scan."""

    bench: Bench
    data: dict[tuple[int, int], bytes]
    family_of: dict[str, int] = field(default_factory=dict)  # by sha256, as lines say it
    held: set[tuple[str, str]] = field(default_factory=set)  # what was ever where
    unprinted: bool = False  # whether something was sent with `ask`
    joined: bool = False  # whether two pictures may be one because somebody says so
    answered: dict[str, float] = field(default_factory=dict)  # the day of a content's last answer
    day: float = 0.0

    async def take(self, step: Step) -> None:
        """Let it happen."""
        match step:
            case Put(name, content):
                path = self.bench.images / name
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(self.data[content])
            case Delete(name):
                (self.bench.images / name).unlink(missing_ok=True)
            case Move(name, to):
                path = self.bench.images / name
                if path.exists():
                    (self.bench.images / to).parent.mkdir(exist_ok=True)
                    path.replace(self.bench.images / to)
            case Say(name, other):
                self.say(name, other)
            case Look():
                await self.look(step)

    def say(self, name: str, other: str | None) -> None:
        """Split or join, as people do with files that are there."""
        paths = [self.bench.images / each for each in (name, other) if each]
        contents = {path.read_bytes() for path in paths if path.exists()}
        known = (self.bench.folder / "state" / "ledger.sqlite3").exists()
        if not known or len(contents) < len(paths):
            return
        with self.bench.ledger() as ledger, ledger.transaction(writing=True):
            if other is None:
                split(ledger, str(paths[0]), "ines", None)
            else:
                join(ledger, str(paths[0]), str(paths[1]), "ines", None)
                self.joined = True

    async def look(self, look: Look) -> Ran:
        """Scan, and hold the lines to what was there before."""
        self.day += look.days
        for path in self.bench.images.rglob("*.jpg"):
            self.held.add((str(path), hashlib.sha256(path.read_bytes()).hexdigest()))
        answer = AnswerInstead(status=look.how, code=10 if look.how == 415 else None)
        failing = look.failing and Fault(route="check", action=answer, file_name=look.failing)
        self.bench.emulator.faults = (failing,) if failing else ()
        scan: dict[str, Any] = {"renditions": look.mode}
        given: dict[str, Any] = {
            "scan": scan | ({"rescan_after": MONTH} if look.age == "rescan" else {}),
            "rehash": look.age == "rehash",
            "force": look.age == "force",
            "pace": {"concurrency": look.concurrency, "rate": FAST},
            "api": {"retry_for": 0.0},
            "spend": {"max_credits": look.budget},
        }
        dry = (await self.bench.scan(LaterClock(self.day), dry_run=True, **given)).report
        plan = dry.run.plan
        if look.mode == "report" and look.budget is None:
            await self.hold_savings(dry, given)
        ran = await self.bench.scan(LaterClock(self.day), **given)
        self.unprinted |= look.mode == "ask"
        self.hold(ran, look)
        if not failing and look.budget is None:
            assert plan is not None
            assert plan.pictures == ran.report.files.scanned, "as many as planned"
        return ran

    async def hold_savings(self, dry: Report, given: dict[str, Any]) -> None:
        """What is said to be saved is what a plan with `cover` would not cost.

        It may be more: fingerprints of what was sent with `ask` are made by `cover` only.
        """
        scan = given["scan"] | {"renditions": "cover"}
        given = given | {"scan": scan, "dry_run": True}
        cover = (await self.bench.scan(LaterClock(self.day), **given)).report
        saved, said = dry.credits.expected - cover.credits.expected, dry.files.renditions_credits
        assert said is not None
        assert said <= saved if self.unprinted else said == saved

    def hold(self, ran: Ran, look: Look) -> None:
        """What is true of every scan."""
        for line in ran.lines.values():
            if line.status != "scanned":
                continue
            assert (
                line.sha256 not in self.answered
                or look.age == "force"
                or (look.age == "rescan" and self.day - self.answered[line.sha256] >= 30)
            ), f"{line.path} was paid twice"
        self.answered |= {
            line.sha256: self.day
            for line in ran.lines.values()
            if line.status == "scanned" and line.sha256 is not None
        }
        for line in ran.lines.values():
            if line.covered_by is not None:
                assert line.covered_by.sha256 in self.answered, "covered by what has no answer"
                both = (line.sha256 or "", line.covered_by.sha256)
                families = {self.family_of[each] for each in both}
                assert len(families) == 1 or (self.joined and line.covered_by.rule == "joined")
                assert line.credits == 0
                assert (line.covered_by.path, line.covered_by.sha256) in self.held
                assert look.mode == "cover"


async def live(steps: list[Step], data: dict[tuple[int, int], bytes], folder: Path) -> None:
    async with Emulator(EmulatorConfig(search=False, rates=FAST)) as emulator:
        bench = Bench(folder, emulator)
        bench.images.mkdir()
        (bench.images / "always.jpg").write_bytes(data[0, 0])
        world = World(bench, data, families_of(data))
        for step in steps:
            await world.take(step)
        last = Look("cover", 2, 0, age=None, failing=None, how=500, budget=None)
        ran = await world.look(last)
        files = ran.report.files
        assert files.checked == files.seen - files.rejected - (files.unchanged_rejected or 0)
        again = await world.look(last)
        assert again.report.files.unchanged == again.report.files.seen
        bench.assert_sound()


def families_of(data: dict[tuple[int, int], bytes]) -> dict[str, int]:
    return {hashlib.sha256(each).hexdigest(): family for (family, _), each in data.items()}


@pytest.mark.slow
@pytest.mark.timeout(240)
@settings(
    max_examples=int(os.environ.get("BATCHSCAN_HISTORIES", "12")),
    phases=[Phase.generate],  # a history takes seconds, and so a shorter one minutes to find
)
@given(steps=STEPS)
def test_in_any_history_nothing_is_covered_by_what_has_no_answer_nor_paid_twice(steps):
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(live(steps, contents(), Path(folder)))
