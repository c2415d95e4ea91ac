"""What looking for versions costs: `--renditions report` and `cover` beside `ask`, on new pictures."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.benchmarks.measure import Row, cpu, in_turn, median, run
from tests.support.photographs import encoded, photograph

PICTURES = 1_000
SCENES = 10
WIDTH, HEIGHT = 1_600, 1_200
MARGIN = 1.3  # times that a scene is larger than the part of it that a picture shows
MODES = ("ask", "report", "cover")


def renditions(work: Path, scale: float) -> Iterator[Row]:
    """CPU time a picture, of dry runs over pictures that are all different."""
    count = max(40, round(PICTURES * scale))
    pictures(work / "images", count)
    usages = in_turn(*(partial(run, command(work, mode)) for mode in MODES))
    spent = {
        mode: median(found, cpu) / count * 1e3 for mode, found in zip(MODES, usages, strict=True)
    }
    what, note = f"{count} new JPEGs of 2 megapixels", f"{spent['ask']:.1f} ms a picture with ask"
    for mode in MODES[1:]:
        more = spent[mode] - spent["ask"]
        yield Row(f"{what}, --renditions {mode}", "CPU more than ask", more, 4, "ms", note=note)


def pictures(folder: Path, count: int) -> None:
    """Parts of some scenes, no two of them alike."""
    folder.mkdir(parents=True)
    chance = random.Random(1)
    size = round(WIDTH * MARGIN), round(HEIGHT * MARGIN)
    scenes = [photograph(seed, size) for seed in range(SCENES)]
    for number in range(count):
        left, top = chance.randrange(size[0] - WIDTH), chance.randrange(size[1] - HEIGHT)
        part = scenes[number % SCENES].crop((left, top, left + WIDTH, top + HEIGHT))
        (folder / f"{number}.jpg").write_bytes(encoded(part))


def command(work: Path, mode: str) -> list[str]:
    """A dry run in this mode."""
    words = ["-n", "-q", "--renditions", mode, str(work / "images")]
    places = ["-o", str(work / "output"), "--state", str(work / "state")]
    return [sys.executable, "-P", "-m", "batchscan", *words, *places]
