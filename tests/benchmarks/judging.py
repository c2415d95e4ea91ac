"""Judging pixels, beside a loop that decodes them; and how long a command takes to start."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.benchmarks.material import photograph, photographs
from tests.benchmarks.measure import Row, in_turn, median, ratio, run, wall

PICTURES = 60
WIDTH, HEIGHT, QUALITY = 4_000, 3_000, 88  # 12 megapixels, 5 MB
PEERS = Path(__file__).parent / "peers"
STARTS = 10


def judging(work: Path, scale: float) -> Iterator[Row]:
    """Wall time of judging whole pictures, by as many threads as a run has."""
    count = max(8, round(PICTURES * scale))
    photographs(work / "images", count, photograph(WIDTH, HEIGHT, QUALITY))
    ours = [sys.executable, str(PEERS / "judging.py"), str(work / "images")]
    pillow = [sys.executable, str(PEERS / "pillow_loop.py"), str(work / "images")]
    judged, loaded = in_turn(lambda: run(ours), lambda: run(pillow))
    what = f"judging {count} JPEGs of 12 megapixels, --check full"
    note = f"{median(judged, wall) / count * 1e3:.1f} ms a picture"
    yield Row(
        what, "Pillow load() on one core", ratio(loaded, judged, wall), 3, at_least=True, note=note
    )


def start(work: Path, scale: float) -> Iterator[Row]:
    """What a command takes before it does anything."""
    for flag in ("--help", "--version"):
        command = partial(run, [sys.executable, "-P", "-m", "batchscan", flag])
        ours, nothing = in_turn(command, lambda: run([sys.executable, "-c", "pass"]), runs=STARTS)
        more = (median(ours, wall) - median(nothing, wall)) * 1e3
        yield Row(f"batchscan {flag}", "more than python -c pass", more, 250, "ms")
