"""What more machines bring where the service limits each: rates reached, and the driver's CPU."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tests.benchmarks.commands import batchscan
from tests.benchmarks.material import photograph, photographs
from tests.benchmarks.measure import Row, cpu, run
from tests.benchmarks.pace import emulator, seen_at

A_HOST = 20  # requests a second that the service takes from one host
ACCOUNT = 80  # and from all of them
WORKERS = (1, 2, 4)
SECONDS = 20.0  # of sending
FEW, MANY = 20, 180  # pictures of 12 megapixels
PRELOAD = Path(__file__).with_name("from_host.py")
WINDOW = 5  # seconds that both limits look back: two cores run all of it, and requests come late
CONFIG = f"""
pace:
  rate: [{ACCOUNT * WINDOW}/{WINDOW}s]
  per_host: [{A_HOST * WINDOW}/{WINDOW}s]
"""


def cluster(work: Path, scale: float) -> Iterator[Row]:
    """Rates with 1, 2 and 4 hosts, then what a picture costs the driver, and this machine alone."""
    counts = {workers: max(40, int(workers * A_HOST * SECONDS * scale)) for workers in WORKERS}
    photographs(work / "images", max(counts.values()), photograph(48, 32, 80))
    (work / "config.yaml").write_text(CONFIG)
    for workers in WORKERS:
        rate, refused = _rate(work, workers, counts[workers])
        part = rate / (workers * A_HOST)
        note = f"{rate:.1f}/s, {counts[workers]:,} pictures, {refused} 429s"
        what = f"{workers} workers, {A_HOST}/s a host"
        yield Row(what, "so many hosts' rate", part, 0.95, at_least=True, note=note)
    shutil.rmtree(work / "images")
    photographs(work / "images", max(FEW + 1, int(MANY * scale)), photograph(4000, 3000, 92))
    size = os.path.getsize(work / "images" / "000000.jpg") / 1e6
    here, there = _cpu_here(work), _cpu_there(work)
    note = f"{there * 1e3:.1f} ms of {here * 1e3:.1f} ms a picture of 12 MP and {size:.1f} MB"
    yield Row("CPU of the driver a picture", "a scan on this machine", there / here, 0.2, note=note)


def _rate(work: Path, workers: int, count: int) -> tuple[float, int]:
    per_host = f"{A_HOST * WINDOW}/{WINDOW}s"
    words = ["-c", str(work / "config.yaml"), "--check", "fast", "-q", "-j", "128"]
    with (
        emulator(ACCOUNT * WINDOW, 0.3, "--rate-per-host", per_host, period=WINDOW) as url,
        dask(work, workers) as address,
    ):
        run(*batchscan(_fresh(work), url, *words, "--dask", address, *_listed(work, count)))
        seen = seen_at(url)
    return seen.rate, len(seen.refused)


def _cpu_here(work: Path) -> float:
    with emulator(1_000, 0.0) as url:
        return _cpu(work, url)


def _cpu_there(work: Path) -> float:
    with emulator(1_000, 0.0) as url, dask(work, 2) as address:
        return _cpu(work, url, "--dask", address)


def _cpu(work: Path, url: str, *words: str) -> float:
    """CPU seconds a picture, without what a start costs."""
    most = len(os.listdir(work / "images"))
    few, many = (
        cpu(
            run(
                *batchscan(
                    _fresh(work), url, "-q", "--rate", "1000/s", *words, *_listed(work, count)
                )
            )
        )
        for count in (FEW, most)
    )
    return (many - few) / (most - FEW)


def _fresh(work: Path) -> Path:
    for left in ("state", "output"):
        shutil.rmtree(work / left, ignore_errors=True)
    return work


def _listed(work: Path, count: int) -> list[str]:
    listed = work / "list"
    listed.write_text("".join(f"{work}/images/{number:06}.jpg\n" for number in range(count)))
    return ["--files-from", str(listed)]


@contextmanager
def dask(work: Path, workers: int) -> Iterator[str]:
    """A scheduler's address; each worker is on a loopback host of its own."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    address, log = f"tcp://127.0.0.1:{port}", work / "dask.log"
    with contextlib.ExitStack() as stack:
        out = stack.enter_context(log.open("wb"))
        words = ["scheduler", "--host", "127.0.0.1", "--port", str(port)]
        _start(stack, out, words, {})
        for number in range(workers):
            host = f"127.0.0.{number + 2}"
            words = ["worker", address, "--host", host, "--nthreads", "1", "--no-nanny"]
            words += ["--memory-limit", "0", "--local-directory", str(work)]
            _start(stack, out, [*words, "--preload", str(PRELOAD)], {"SEND_FROM": host})
        while len(re.findall("Register worker", log.read_text())) < workers:
            time.sleep(0.1)
        yield address


def _start(
    stack: contextlib.ExitStack, out: IO[bytes], words: list[str], env: dict[str, str]
) -> None:
    what, *rest = words
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", f"distributed.cli.dask_{what}", *rest, "--no-dashboard"],
        env={**os.environ, **env},
        stdout=out,
        stderr=out,
    )
    stack.callback(process.wait)
    stack.callback(process.kill)
