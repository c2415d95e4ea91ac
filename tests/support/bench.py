"""Whole scans in this process, against the emulator as a server on loopback."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from batchscan import (
    Account,
    Api,
    Output,
    Pace,
    Rate,
    Scan,
    ScanSettings,
    Secret,
    Send,
    Settings,
    Spend,
)
from batchscan.commands.state_check import check
from batchscan.emulator import Emulator, EmulatorConfig, JournalEntry
from batchscan.ledger import FILE_NAME, Ledger, Realm
from batchscan.pace import Clock, SystemClock
from batchscan.report import Report
from batchscan.results import ResultLine
from tests.support.clocks import SkippingClock
from tests.support.pictures import png, tree
from tests.support.result_lines import read_lines
from tests.support.schema import assert_valid

FAST = (Rate(1000, 1.0),)


@dataclass
class Ran:
    """A finished run, its books checked."""

    report: Report
    exit_code: int
    lines: dict[str, ResultLine]  # by path below the pictures' folder

    def statuses(self) -> Counter[str]:
        return Counter(line.status.value for line in self.lines.values())

    def reasons(self) -> Counter[str]:
        return Counter(line.reason for line in self.lines.values() if line.reason)


@dataclass
class Bench:
    """A folder of pictures, a state folder, an output folder, and an emulator."""

    folder: Path
    emulator: Emulator
    clock: SystemClock = field(default_factory=SkippingClock)

    @property
    def images(self) -> Path:
        return self.folder / "images"

    def pictures(self, count: int, *, start: int = 0) -> None:
        tree(self.images, {f"p{n:03}.png": png(16, 16, n) for n in range(start, start + count)})

    def settings(self, **changes) -> Settings:
        groups: dict[str, Any] = {
            "account": Account(email="me@example.com", api_key=Secret("key-of-the-account")),
            "api": Api(url=self.emulator.url, identity_url=self.emulator.url, retry_for=20.0),
            "scan": ScanSettings(),
            "send": Send(),
            "pace": Pace(rate=FAST, concurrency=8, headroom=0.0),
            "spend": Spend(),
            "output": Output(
                directory=str(self.folder / "output"), state=str(self.folder / "state")
            ),
            "roots": (str(self.images),),
        }
        for name, change in changes.items():
            base = groups.get(name)
            groups[name] = replace(base, **change) if base and isinstance(change, dict) else change
        return Settings(**groups)

    async def scan(self, clock: Clock | None = None, **changes) -> Ran:
        async with Scan(self.settings(**changes), clock or self.clock) as run:
            outcomes = [outcome async for outcome in run]
        ran = self.ran(run.report)
        assert len(outcomes) == len(ran.lines)
        return ran

    def name_of(self, path: str) -> str:
        """What lines are called by."""
        return os.path.relpath(path, self.images)

    def ran(self, report: Report) -> Ran:
        """Read a run's files, and hold them to what is true of every run."""
        folder = self.folder / "output" / "runs" / report.run.id
        lines = {}
        for line in read_lines(str(folder / "results.jsonl")):
            name = self.name_of(line.path)
            assert name not in lines
            lines[name] = line
        stored = json.loads((folder / "report.json").read_bytes())
        assert_valid(stored)
        assert stored["files"]["seen"] == report.files.seen
        files = report.files
        names = ("scanned", "reused", "covered", "rejected", "failed", "deferred")
        parts = [getattr(files, name) for name in names]
        assert files.seen == files.unchanged + sum(parts)
        assert len(lines) == sum(parts)
        counted = Counter(line.status.value for line in lines.values())
        for status in names:
            assert counted[status] == getattr(files, status)
        assert sum(report.reasons.values()) == files.rejected + files.failed + files.deferred
        put_off = report.reasons.get("too_young", 0) + report.reasons.get("dry_run", 0)
        if report.run.exit_code in (0, 10):
            assert files.failed == 0
            assert files.deferred == put_off or report.run.dry_run
        assert report.credits.charged == sum(
            line.credits or 0 for line in lines.values() if line.status in ("scanned", "failed")
        )
        return Ran(report, report.run.exit_code or 0, lines)

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """What the scans left, to be changed as people do."""
        with closing(
            Ledger.change(self.folder / "state", Realm(self.emulator.url, sandbox=False))
        ) as ledger:
            yield ledger

    def assert_sound(self) -> None:
        """Hold the ledger to what `batchscan state check` looks at, whatever happened."""
        if (self.folder / "state" / FILE_NAME).exists():
            found = check(self.folder / "state")
            problems = [each for each in found if each.level == "problem"]
            assert [each for each in problems if each.what != "version"] == []

    def charged(self) -> int:
        return sum(entry.charged for entry in self.emulator.journal)

    def checks(self) -> list[JournalEntry]:
        return self.emulator.journal.of("check")


@asynccontextmanager
async def open_bench(folder: Path, clock: SystemClock, **config: Any) -> AsyncIterator[Bench]:
    """A bench whose emulator lives by the same clock as its scans; sound at the end."""
    config = {
        "search": False,
        "rates": FAST,
        "clock": clock.monotonic,
        "wall_clock": clock.wall,
        **config,
    }
    async with Emulator(EmulatorConfig(**config)) as emulator:
        bench = Bench(folder, emulator, clock)
        bench.images.mkdir(exist_ok=True)
        yield bench
        bench.assert_sound()
