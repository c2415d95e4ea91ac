"""The rate that a scan keeps against a strict sliding window, and what it learns of a lower one."""

from __future__ import annotations

import math
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from tests.benchmarks.commands import batchscan
from tests.benchmarks.material import photograph, photographs
from tests.benchmarks.measure import Row, run

RATES = (5, 10, 50, 500)  # requests a second
LATENCIES = (0.05, 1.0, 6.0)  # seconds
UNKNOWN = ((10, 6), (10, 3), (50, 20))  # told, true
SECONDS = 20.0  # of sending, at a known rate
LEARNING = 180.0  # of sending, at an unknown one
MAX_WORKERS = 5_000
SETTLED = 10.0  # seconds after which refusals count


@dataclass(frozen=True)
class Seen:
    """What came in at the service: when, and whether it was refused."""

    times: list[float]
    refused: list[float]

    @property
    def rate(self) -> float:
        """Accepted requests a second, between the first and the last."""
        return (len(self.times) - 1) / (self.times[-1] - self.times[0])


def pace(work: Path, scale: float) -> Iterator[Row]:
    """What part of the allowed rate a scan reaches, and how many of its requests are refused."""
    most = max(_count(RATES[-1], SECONDS, scale), _count(20, LEARNING, scale))
    photographs(work / "images", most, photograph(48, 32, 80))
    for rate in RATES:
        for latency in LATENCIES:
            seen = _scan(work, rate, rate, latency, _count(rate, SECONDS, scale))
            what = f"pace at {rate}/s, answers after {latency:g} s"
            note = f"{len(seen.times):,} requests"
            part = 100 * seen.rate / rate
            yield Row(what, "the allowed rate", part, 97, "%", at_least=True, note=note)
            yield Row(what, "429s", len(seen.refused), 0, "")
    for told, true in UNKNOWN:
        seen = _scan(work, told, true, 0.05, _count(true, LEARNING, scale))
        what = f"pace at {true}/s, told {told}/s"
        late = [at for at in seen.refused if at - seen.times[0] > SETTLED]
        after = sum(at - seen.times[0] > SETTLED for at in seen.times) + len(late)
        note = f"{len(seen.times):,} requests in {seen.times[-1] - seen.times[0]:.0f} s"
        part = 100 * seen.rate / true
        yield Row(what, "the true limit", part, 85, "%", at_least=True, note=note)
        note = f"{len(seen.refused) - len(late)} before"
        refused = 100 * len(late) / after
        yield Row(what, "429s after the first 10 s", refused, 1, "%", note=note)


def _count(rate: float, seconds: float, scale: float) -> int:
    return max(20, math.ceil(rate * seconds * scale))


def _scan(work: Path, told: int, true: int, latency: float, count: int) -> Seen:
    """Scan so many pictures at a service that allows the true rate, being told another."""
    for left in ("state", "output"):
        shutil.rmtree(work / left, ignore_errors=True)
    listed = work / "list"
    listed.write_text("".join(f"{work}/images/{number:06}.jpg\n" for number in range(count)))
    workers = min(MAX_WORKERS, math.ceil(told * latency * 1.1) + 16)
    words = ["--check", "fast", "--rate", f"{told}/s", "-j", str(workers), "-q"]
    with emulator(true, latency) as url:
        run(*batchscan(work, url, *words, "--files-from", str(listed)))
        return seen_at(url)


def seen_at(url: str) -> Seen:
    """What came in at an emulator."""
    with urllib.request.urlopen(f"{url}/_emulator/journal") as journal:
        lines: list[dict[str, Any]] = msgspec.json.Decoder().decode_lines(journal.read())
    checks = [line for line in lines if line["route"] == "check"]
    times = sorted(line["at"] for line in checks if line["status"] == 200)
    return Seen(times, [line["at"] for line in lines if line["status"] == 429])


@contextmanager
def emulator(rate: int, latency: float, *more: str, period: int = 1) -> Iterator[str]:
    """The emulator's URL, a process of its own for as long as the block lasts."""
    words = [
        "emulator",
        "--no-search",
        "--rate",
        f"{rate}/{period}s",
        "--latency",
        f"{latency * 1e3:g}ms",
        *more,
    ]
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "batchscan", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            line = next(line for line in process.stdout if "COPYLEAKS_API_URL" in line)
            yield line.strip().partition("=")[2]
        finally:
            process.terminate()
