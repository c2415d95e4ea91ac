"""Runs with nothing to send, and what comes of a library in the ledger."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from tests.benchmarks.commands import batchscan, needed
from tests.benchmarks.material import killed_run, library, stubs
from tests.benchmarks.measure import Row, cpu, in_turn, median, ratio, run, wall, written

NOBODY = "http://127.0.0.1:9"  # nothing is sent there
FILES = 200_000
LIBRARIES = (10_000, 100_000, 1_000_000)
REPORTED = 1_000_000
OK = (0, 1, 3)  # with findings, and with files that are no pictures


def unchanged(work: Path, scale: float) -> Iterator[Row]:
    """Wall time of a run over files that have not changed."""
    needed("rclone")
    count = round(FILES * scale)
    images = work / "images"
    stubs(images, count, 1_000)
    words, env = batchscan(work, NOBODY, "-q", str(images))
    run(words, env, expect=OK)
    copy = ["rclone", "copy", str(images), str(work / "copy")]
    run(copy)
    find = ["find", str(images), "-printf", "%p %s %T@ %C@\n"]
    ours, rclone, found = in_turn(
        lambda: run(words, env, expect=OK), lambda: run(copy), lambda: run(find), runs=5
    )
    what = f"wall time of a run over {count:,} unchanged files"
    note = f"{median(ours, wall):.2f} s"
    yield Row(what, "rclone copy, nothing to do", ratio(ours, rclone, wall), 0.9, note=note)
    yield Row(what, "find -printf", ratio(ours, found, wall), 2.5)


def matched(work: Path, scale: float) -> Iterator[Row]:
    """Runs in which nothing changed, over pictures with matches and over ones without."""
    for count, each, reach in ((3_000, 14, None), (100_000, 10, 5)):
        number = round(count * scale)
        commands = []
        for name, matches in (("with", each), ("without", 0)):
            place = work / f"{count}-{name}"
            library(place, NOBODY, number, matches)
            words, env = batchscan(place, NOBODY, "-q", str(place / "images"))
            run(words, env)  # in which what was new becomes known
            commands.append(lambda words=words, env=env: run(words, env))
        some, none = in_turn(*commands)
        what = f"a run over {number:,} unchanged files, {number * each:,} matches"
        note = f"{median(some, cpu):.2f} s"
        yield Row(
            f"CPU of {what}", "the same without matches", ratio(some, none, cpu), 2, note=note
        )
        if reach:
            yield Row(f"wall time of {what}", "", median(some, wall), reach, "s")
        # report.json names the worst thousand pictures, and each domain
        note = f"{median(none, written):.2f} MiB without matches"
        yield Row(f"written by {what}", "", median(some, written), 1, "MiB", note=note)


def memory(work: Path, scale: float) -> Iterator[Row]:
    """Peak memory of runs over libraries of growing size."""
    for count in (round(each * scale) for each in LIBRARIES):
        for shape, per_folder in (("one folder", count), ("folders of 100", 100)):
            place = work / "library"
            stubs(place / "images", count, per_folder)
            words, env = batchscan(place, NOBODY, "-q", str(place / "images"))
            first, again = (run(words, env, expect=OK) for _ in range(2))
            what = f"peak memory over {count:,} files, {shape}"
            yield Row(what, "the first run", first.peak, 100, "MiB", note=f"{first.wall:.1f} s")
            yield Row(what, "nothing to send", again.peak, 100, "MiB", note=f"{again.wall:.1f} s")
            shutil.rmtree(place)


def report(work: Path, scale: float) -> Iterator[Row]:
    """Results and report of a killed run with very many results, made again from the ledger."""
    count = round(REPORTED * scale)
    # In a process of its own: the peak memory of a child begins with that of its parent.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        pool.submit(killed_run, work / "state", NOBODY, count).result()
    stubs(work / "images", 1, 1)
    words, env = batchscan(work, NOBODY, "-q", str(work / "images"))
    used = run(words, env, expect=OK)
    what = f"report and results of {count:,} pictures, from the ledger"
    yield Row(what, "time", used.wall, 60, "s")
    yield Row(what, "peak memory", used.peak, 150, "MiB")
