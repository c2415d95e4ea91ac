"""What copies the emulator finds, by what was done to them, and what it takes for copies wrongly.

The pictures are made up, or photographs of a folder. Originals that are alike are named, to be
looked at, and only one of them is asked about; what is then found of another is a false alarm.
"""

from __future__ import annotations

import hashlib
import math
import os
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from batchscan.demo.artwork import artwork, encoded
from batchscan.demo.changes import CHANGES
from batchscan.emulator.matching.index import Index
from batchscan.emulator.matching.similarity import FULL, PARTIAL, PictureFeatures, fingerprint
from tests.benchmarks.measure import Row

PICTURES = 65
NARROWEST = 96  # pixels
MAX_BYTES = 20_000_000  # pixels
COLOURS = 60  # of 4,096, of a small copy: a photograph has at least so many
SMALL = (160, 160)
EXACT = "exact"


@dataclass
class Seen:
    """What a number of uploads found."""

    found: Counter[tuple[str, int, int]] = field(default_factory=Counter)  # kind, way, full or not
    uploads: int = 0
    strangers: int = 0  # pairs that are not alike
    alarms: Counter[str] = field(default_factory=Counter)  # by the two originals
    seconds: list[float] = field(default_factory=list)  # of each upload, for 1,000 pictures

    def of(self, kind: str, way: int) -> int:
        return self.found[kind, way, FULL] + self.found[kind, way, PARTIAL]


def find_copies(work: Path, scale: float, pictures: Path | None = None) -> Iterator[Row]:
    """Recall of each kind of change, false alarms, and how long an upload is looked for."""
    what, names = "made-up pictures", [str(seed) for seed in range(max(5, round(PICTURES * scale)))]
    if pictures is not None:
        what, names = "photographs", sorted(_photographs(pictures))
    for number, name in enumerate(names):
        _copies(work / "web" / str(number), _opened(name, pictures))
    index = Index.build(work / "web", threading.Event())
    ours = [fingerprint(encoded(_opened(name, pictures), "PNG")) for name in names]
    group = _alike(index, ours)
    for first, count in Counter(group).items():
        if count > 1:
            print("alike:", *(name for name, own in zip(names, group, strict=True) if own == first))
    seen = _ask(index, ours, group, names)
    yield from _rows(seen, f"of {len(set(group))} {what}", 90 if pictures is None else 98)


def _rows(seen: Seen, of: str, reach: float) -> Iterator[Row]:
    for kind, ways in CHANGES.items():
        rates = {
            change.what: 100 * seen.of(kind, way) / seen.uploads for way, change in enumerate(ways)
        }
        least = min(rates, key=lambda what: rates[what])
        full = sum(seen.found[kind, way, FULL] for way in range(len(ways)))
        partial = sum(seen.found[kind, way, PARTIAL] for way in range(len(ways)))
        note = f"full {full}, partial {partial}, missed {seen.uploads * len(ways) - full - partial}"
        note += f"; least {rates[least]:.1f} %: {least}"
        recall = statistics.mean(rates.values())
        yield Row(f"copies found, {kind}", of, recall, reach, "%", at_least=True, note=note)
    yield Row("exact copies found as full", of, 100 * seen.found[EXACT, 0, FULL] / seen.uploads,
              100, "%", at_least=True)  # fmt: skip
    note = ", ".join(f"{pair} ({count})" for pair, count in seen.alarms.most_common())
    rate = 1e4 * seen.alarms.total() / max(1, seen.strangers)
    yield Row("false alarms", f"{seen.strangers:,} pairs", rate, 1, "in 10,000", note=note)
    slowest = f"slowest {1e3 * max(seen.seconds):.0f} ms"
    median = 1e3 * statistics.median(seen.seconds)
    yield Row(
        "looking for an upload among 1,000", "after decoding", median, 250, "ms", note=slowest
    )


def _photographs(folder: Path) -> Iterator[str]:
    """The names below a folder of what looks like a photograph, each content once."""
    known = set()
    for above, folders, names in os.walk(folder):
        folders.sort()
        for name in names:
            path = Path(above, name)
            digest = hashlib.sha256(path.read_bytes()).digest()
            if digest not in known and _is_photograph(path):
                known.add(digest)
                yield str(path.relative_to(folder))


def _is_photograph(path: Path) -> bool:
    try:
        with Image.open(path) as opened:
            if min(opened.size) < NARROWEST or math.prod(opened.size) > MAX_BYTES:
                return False
        picture = _opened(path.name, path.parent)
    except Exception:  # noqa: BLE001 - decoder boundary: Pillow raises what it likes
        return False
    picture.thumbnail(SMALL)
    return len(np.unique(np.asarray(picture).reshape(-1, 3) // 16, axis=0)) >= COLOURS


def _opened(name: str, pictures: Path | None) -> Image.Image:
    if pictures is None:
        return artwork(int(name))
    with Image.open(pictures / name) as opened:
        picture = ImageOps.exif_transpose(opened).convert("RGBA")
    white = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(white, picture).convert("RGB")


def _copies(folder: Path, picture: Image.Image) -> None:
    folder.mkdir(parents=True)
    (folder / f"{EXACT}-0.png").write_bytes(encoded(picture, "PNG"))
    for kind, ways in CHANGES.items():
        for way, change in enumerate(ways):
            (folder / f"{kind}-{way}.jpg").write_bytes(change.copy(picture))


def _found(index: Index, mine: PictureFeatures) -> Iterator[tuple[int, str, int, int]]:
    """Of each picture found: whose copy it is, how changed in what way, and full or partial."""
    for found in index.find("", mine):
        number, name = found.name.split("/")
        kind, way = name.partition(".")[0].split("-")
        yield int(number), kind, int(way), found.kind


def _alike(index: Index, ours: Sequence[PictureFeatures]) -> list[int]:
    """For each original, the first one that it is like, directly or by way of others."""
    group = list(range(len(ours)))
    for number, mine in enumerate(ours):
        for other, kind, _, _ in _found(index, mine):
            if kind == EXACT and group[other] != group[number]:
                new, old = sorted((group[other], group[number]))
                group = [new if each == old else each for each in group]
    return group


def _ask(
    index: Index, ours: Sequence[PictureFeatures], group: Sequence[int], names: Sequence[str]
) -> Seen:
    seen, copies = Seen(), 1 + sum(map(len, CHANGES.values()))
    for number in sorted(set(group)):
        began = time.perf_counter()
        all_found = list(_found(index, ours[number]))
        seen.seconds.append(1_000 * (time.perf_counter() - began) / (copies * len(names)))
        seen.uploads += 1
        seen.strangers += copies * sum(each != number for each in group)
        for other, kind, way, full in all_found:
            if other == number:
                seen.found[kind, way, full] += 1
            elif group[other] != number:
                seen.alarms[f"{names[number]} in copies of {names[other]}"] += 1
    return seen
