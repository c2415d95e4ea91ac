"""Runs over a bucket of which nothing changed: what listing costs, and that memory stays flat."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.commands import batchscan
from tests.benchmarks.library import NOBODY, OK
from tests.benchmarks.measure import Row, Usage, run

KEYS = (10_000, 1_000_000)
ROOT = "s3://bucket/p/"


def remote(work: Path, scale: float) -> Iterator[Row]:
    """Time and peak memory over keys in one prefix, each known as what it is."""
    for count in (round(each * scale) for each in KEYS):
        with bucket(count) as url:
            words, env = batchscan(work / str(count), NOBODY, "-q", ROOT)
            env = {**env, **_credentials(url)}
            first, again = (run(words, env, expect=OK) for _ in range(2))
        what = f"{count:,} keys in one prefix of a bucket"
        yield Row(what, "the first run: peak memory", first.peak, 120, "MiB", note=_time(first))
        yield Row(what, "unchanged: peak memory", again.peak, 120, "MiB", note=_time(again))


@contextmanager
def bucket(count: int) -> Iterator[str]:
    """A bucket of so many keys, in a process of its own."""
    words = [sys.executable, "-m", "tests.benchmarks.bucket", str(count)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield process.stdout.readline().decode().strip()
        process.kill()


def _credentials(url: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _time(used: Usage) -> str:
    return f"{used.wall:.1f} s, {used.cpu:.1f} s of CPU"
