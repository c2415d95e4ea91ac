"""A year of nightly runs over a web that changes, with what goes wrong in a year."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import random
import signal
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from batchscan import Account, Scan, Secret
from batchscan.emulator import Emulator, EmulatorConfig, Fault, LoginLimit
from batchscan.emulator.bodies import VendorMatch
from batchscan.emulator.fault_actions import AnswerInstead
from batchscan.pace import SystemClock
from batchscan.results import ResultLine
from batchscan.settings import Alerts, Webhook
from tests.support import killing
from tests.support.bench import FAST, Bench
from tests.support.pictures import png, tree
from tests.support.processes import Process
from tests.support.receiver import Receiver, receiving
from tests.support.result_lines import read_lines

NIGHTS, PICTURES = 365, 500
A_DAY, A_MONTH, AGE = 22, 620, 25  # credits, credits, days
OUTAGE = range(120, 127)
NEW_KEY = range(200, 202)  # the old one is refused until somebody notices
NOBODY_LISTENS = range(150, 152)  # the webhook's server is down
CRASHES = {80: ("settle-committed", 5), 260: ("answer-received", 9)}
DAY = timedelta(days=1)


class Night(SystemClock):
    """The clock of one night: every night begins at two o'clock.

    It is the machine's, faster: two nights are killed as real processes, and nothing that is
    checked of a year depends on how long a pause takes.
    """

    SPEED = 20

    def __init__(self, at: datetime) -> None:
        self._ahead = at.timestamp() - super().wall()

    def monotonic(self) -> float:
        return super().monotonic() * self.SPEED

    def wall(self) -> float:
        return super().wall() + self._ahead

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        await super().wait(event, seconds / self.SPEED)


@dataclass
class Web:
    """Copies that come and go, and what the service said of them on which night."""

    chance: random.Random = field(default_factory=lambda: random.Random(2026))
    shown: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    taken_down: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    night: int = 0
    answers: list[tuple[int, str, tuple[str, ...]]] = field(default_factory=list)

    def __call__(self, sha256: str) -> list[VendorMatch]:
        found = self.shown[sha256]
        self.answers.append((self.night, sha256, tuple(found)))
        return [
            VendorMatch(url, kind, ())
            for url, kind in sorted(found.items(), key=lambda one: one[1])
        ]

    def pass_a_day(self, pictures: list[str]) -> None:
        self.night += 1
        for sha256 in self.chance.sample(pictures, 6):
            copies, gone = self.shown[sha256], self.taken_down[sha256]
            if copies and self.chance.random() < 0.4:
                url = self.chance.choice(sorted(copies))
                del copies[url]
                gone.append(url)
            elif gone and self.chance.random() < 0.5:
                copies[gone.pop()] = 0
            else:
                site = self.chance.randrange(40)
                copies[f"https://site{site}.example/{sha256[:8]}-{self.night}.jpg"] = 1

    def appearances(self) -> Counter[tuple[str, str, str]]:
        """What the answers showed: each copy that came, or came back, since the one before."""
        before: dict[str, set[str]] = {}
        ever: dict[str, set[str]] = defaultdict(set)
        found: Counter[tuple[str, str, str]] = Counter()
        for _, sha256, urls in self.answers:
            for url in set(urls) - before.get(sha256, set()):
                found[sha256, url, "returned" if url in ever[sha256] else "new"] += 1
            before[sha256] = set(urls)
            ever[sha256] |= set(urls)
        return found


@dataclass
class Year:
    """The year's runs, one a night."""

    bench: Bench
    web: Web
    start: datetime
    receiver: Receiver
    codes: list[int] = field(default_factory=list)

    def at(self, night: int) -> datetime:
        return self.start + night * DAY

    async def live(self, pictures: list[str]) -> None:
        for night in range(NIGHTS):
            self.bench.emulator.faults = _faults(night)
            self.receiver.otherwise = 500 if night in NOBODY_LISTENS else 204
            if night in CRASHES:
                self.codes.append(await self._crash(night))
            else:
                self.codes.append(await self._scan(night))
            self.web.pass_a_day(pictures)

    async def _scan(self, night: int) -> int:
        key = "the new key" if night >= NEW_KEY.stop else "key-of-the-account"
        settings = self.bench.settings(
            account=Account(email="me@example.com", api_key=Secret(key)),
            scan={"rescan_after": AGE * 86_400.0},
            spend={"per_day": A_DAY, "per_month": A_MONTH, "matched_first": False},
            api={"retry_for": 5.0},
            alerts=Alerts(webhook=Webhook(url=self.receiver.url)),
        )
        async with Scan(settings, Night(self.at(night))) as run:
            async for _ in run:
                pass
        return run.exit_code

    async def _crash(self, night: int) -> int:
        """Be killed in the middle of the night."""
        point, nth = CRASHES[night]
        process = Process(self.bench)
        ahead = self.at(night).timestamp() - datetime.now(UTC).timestamp()
        process.environment["DAYS_LATER"] = str(ahead / 86_400)
        settings = self.bench.folder / "settings.yaml"
        settings.write_text(
            f"spend: {{per_day: {A_DAY}, per_month: {A_MONTH}}}\n"
            f"alerts: {{webhook: {{url: '{self.receiver.url}'}}}}\n"
        )
        code, *_ = await process.run(
            *("-c", str(settings), "--rescan-after", f"{AGE}d", "--rate", "1000/s", "-q"),
            program=(killing.__file__, point, str(nth)),
        )
        return code

    def lines(self) -> dict[str, list[ResultLine]]:
        """What each run decided, by the run's id."""
        runs = sorted((self.bench.folder / "output" / "runs").iterdir())
        return {run.name: list(read_lines(str(run / "results.jsonl"))) for run in runs}


def _faults(night: int) -> tuple[Fault, ...]:
    if night in OUTAGE:
        return (Fault(action=AnswerInstead(status=503, body="empty")),)
    if night in NEW_KEY:
        return (Fault(action=AnswerInstead(status=401, body="message")),)
    return ()


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_year_of_nightly_runs_loses_nothing_and_spends_no_more_than_it_may(tmp_path):
    web = Web()
    names = {f"{n % 20}/p{n:03}.png": png(12, 12, n) for n in range(PICTURES)}
    pictures = [hashlib.sha256(data).hexdigest() for data in names.values()]
    config = EmulatorConfig(
        copies=web, rates=FAST, credits=10**6, login_limit=LoginLimit(requests=10**6)
    )
    async with Emulator(config) as emulator:
        bench = Bench(tmp_path, emulator, SystemClock())
        tree(bench.images, names)
        async with receiving() as receiver:
            year = Year(bench, web, datetime(2026, 1, 1, 2, tzinfo=UTC), receiver)
            await year.live(pictures)

    assert set(year.codes) <= {0, 4, 5, 8, -signal.SIGKILL}
    assert {year.codes[night] for night in OUTAGE} == {8}
    assert {year.codes[night] for night in NEW_KEY} == {4}
    assert [night for night, code in enumerate(year.codes) if code < 0] == list(CRASHES)
    _nothing_above_any_window(year)
    _every_appearance_is_told_once(year)
    _every_picture_is_asked_within_its_age_or_a_report_says_why_not(year, pictures)


def _nothing_above_any_window(year: Year) -> None:
    days: Counter[str] = Counter()
    months: Counter[str] = Counter()
    for night, *_ in year.web.answers:
        days[year.at(night).strftime("%F")] += 1
        months[year.at(night).strftime("%Y-%m")] += 1
    assert max(days.values()) <= A_DAY
    assert max(months.values()) <= A_MONTH
    assert year.bench.charged() == len(year.web.answers)  # a lost answer is not paid again


def _every_appearance_is_told_once(year: Year) -> None:
    told: Counter[tuple[str, str, str]] = Counter()
    for lines in year.lines().values():
        for line in lines:
            if line.status == "scanned":
                fresh = (m for m in line.matches if m.state in ("new", "returned"))
                told.update((str(line.sha256), m.url, str(m.state)) for m in fresh)
    assert told == year.web.appearances()
    messages = {each.id: each.message for each in year.receiver.taken}
    assert len(messages) == len(year.receiver.taken)
    matches = [match for message in messages.values() for match in message["matches"]]
    changed = [match for match in matches if match["state"] == "known"]
    assert {match["was"] for match in changed} == {"partial"}  # and is a full copy now
    heard = Counter((m["sha256"], m["url"], m["state"]) for m in matches if m not in changed)
    assert heard == told
    assert len(told) > 1000


def _every_picture_is_asked_within_its_age_or_a_report_says_why_not(
    year: Year, pictures: list[str]
) -> None:
    decided = year.lines()
    asked: dict[str, list[int]] = defaultdict(list)
    for line in itertools.chain.from_iterable(decided.values()):
        if line.status == "scanned" and line.scanned_at is not None:
            answered = datetime.fromisoformat(line.scanned_at)
            asked[str(line.sha256)].append((answered - year.start).days)
    runs = {name[:8]: lines for name, lines in decided.items()}
    excused = {
        (line.sha256 or line.path, day)
        for day, lines in runs.items()
        for line in lines
        if line.status in ("deferred", "failed")
    }
    paths = {hashlib.sha256(p.read_bytes()).hexdigest(): str(p) for p in _files(year.bench.images)}
    for sha256 in pictures:
        nights = [*asked[sha256], NIGHTS]
        for last, following in zip([-1, *nights], nights, strict=False):
            for night in range(last + AGE + 1 if last >= 0 else 0, following):
                if night in CRASHES:
                    continue  # killed before it came to this one; the next night says
                day = year.at(night).strftime("%Y%m%d")
                assert {(sha256, day), (paths[sha256], day)} & excused, (sha256, night, nights)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
