"""Any history of files and scans: whatever is covered has an answer, and nothing is paid twice."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchscan.emulator import Emulator, EmulatorConfig, Fault
from batchscan.emulator.fault_actions import AnswerInstead
from tests.support.bench import FAST, Bench, Ran
from tests.support.clocks import DAY, LaterClock
from tests.support.photographs import encoded, photograph, resized

FAMILIES = 2
VERSIONS = 4
MONTH = 30 * DAY


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
class Look:
    """A scan."""

    mode: str
    concurrency: int
    days: int  # that have gone by since the one before
    rescan: bool
    rehash: bool
    failing: str | None  # the service fails for files of this name


Step: TypeAlias = Put | Delete | Look
LOOKS = st.builds(
    Look,
    st.sampled_from(["cover", "cover", "cover", "report", "ask"]),
    st.sampled_from([1, 4]),
    st.sampled_from([0, 10, 40]),
    st.booleans(),
    st.booleans(),
    st.none() | NAMES.map(os.path.basename),
)
STEPS = st.lists(
    st.builds(Put, NAMES, CONTENT) | st.builds(Put, NAMES, CONTENT) | st.builds(Delete, NAMES)
    | LOOKS,
    min_size=4, max_size=12,
)  # fmt: skip


@dataclass
class World:
    """Files, an emulator, and what must be true of both after each scan."""

    bench: Bench
    data: dict[tuple[int, int], bytes]
    family_of: dict[str, int] = field(default_factory=dict)  # by sha256, as lines say it
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
            case Look():
                await self.look(step)

    async def look(self, look: Look) -> Ran:
        """Scan, and hold the lines to what was there before."""
        self.day += look.days
        failing = look.failing and Fault(
            route="check", action=AnswerInstead(status=500), file_name=look.failing
        )
        self.bench.emulator.faults = (failing,) if failing else ()
        scan = {"renditions": look.mode} | ({"rescan_after": MONTH} if look.rescan else {})
        ran = await self.bench.scan(
            LaterClock(self.day),
            scan=scan,
            rehash=look.rehash,
            pace={"concurrency": look.concurrency, "rate": FAST},
            api={"retry_for": 0.0},
        )
        self.hold(ran, look)
        return ran

    def hold(self, ran: Ran, look: Look) -> None:
        """What is true of every scan."""
        for line in ran.lines.values():
            if line.status != "scanned":
                continue
            assert line.sha256 not in self.answered or (
                look.rescan and self.day - self.answered[line.sha256] >= 30
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
                assert len(families) == 1
                assert line.credits == 0


async def live(steps: list[Step], data: dict[tuple[int, int], bytes], folder: Path) -> None:
    async with Emulator(EmulatorConfig(search=False, rates=FAST)) as emulator:
        bench = Bench(folder, emulator)
        bench.images.mkdir()
        (bench.images / "always.jpg").write_bytes(data[0, 0])
        world = World(bench, data, families_of(data))
        for step in steps:
            await world.take(step)
        last = Look("cover", 2, 0, rescan=False, rehash=False, failing=None)
        ran = await world.look(last)
        assert ran.report.files.checked == ran.report.files.seen
        again = await world.look(last)
        assert again.report.files.unchanged == again.report.files.seen
        bench.assert_sound()


def families_of(data: dict[tuple[int, int], bytes]) -> dict[str, int]:
    return {hashlib.sha256(each).hexdigest(): family for (family, _), each in data.items()}


@pytest.fixture(scope="module")
def data() -> dict[tuple[int, int], bytes]:
    return contents()


@pytest.mark.slow
@pytest.mark.timeout(240)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_in_any_history_nothing_is_covered_by_what_has_no_answer_nor_paid_twice(data, steps):
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(live(steps, data, Path(folder)))
