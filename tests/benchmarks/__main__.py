"""Run all benchmarks, or the named ones, and print what they measured, as ratios.

    python -m tests.benchmarks [--scale 0.1] [NAME...]
    python -m tests.benchmarks likeness [FOLDER]    with photographs of one's own
    python -m tests.benchmarks --page [NAME...]     and write the documentation's table

Nothing fails because a machine is slow: a figure out of reach is marked, the exit code stays 0.
"""

from __future__ import annotations

import argparse
import compileall
import os
import platform
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import batchscan
from tests.benchmarks import page
from tests.benchmarks.answers import answers
from tests.benchmarks.cluster import cluster
from tests.benchmarks.commands import Missing
from tests.benchmarks.converting import converting
from tests.benchmarks.html import html
from tests.benchmarks.judging import judging, start
from tests.benchmarks.library import matched, memory, report, unchanged
from tests.benchmarks.likeness import find_copies
from tests.benchmarks.measure import Row
from tests.benchmarks.pace import pace
from tests.benchmarks.remote import remote
from tests.benchmarks.renditions import renditions
from tests.benchmarks.uploads import uploads

BENCHMARKS: dict[str, Callable[[Path, float], Iterator[Row]]] = {
    "uploads": uploads,
    "answers": answers,
    "judging": judging,
    "converting": converting,
    "start": start,
    "unchanged": unchanged,
    "matched": matched,
    "memory": memory,
    "report": report,
    "html": html,
    "renditions": renditions,
    "pace": pace,
    "remote": remote,
    "likeness": find_copies,
    "cluster": cluster,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of pictures")
    parser.add_argument(
        "--page", action="store_true", help="write the figures into the documentation's table"
    )
    wanted = parser.parse_args()
    if wanted.page and wanted.scale != 1:
        parser.error("the documentation shows figures of full scale only")
    folders = [name for name in wanted.names if name not in BENCHMARKS]
    if folders and (wanted.names != ["likeness", *folders[:1]] or not Path(folders[0]).is_dir()):
        parser.error(f"no benchmark: {folders[0]}; there are {', '.join(BENCHMARKS)}")
    benchmarks = BENCHMARKS
    if folders:
        benchmarks = {"likeness": partial(find_copies, pictures=Path(folders[0]))}
    # As pip does when it installs; measured is not how long compiling takes.
    compileall.compile_dir(str(Path(batchscan.__file__).parent), quiet=1)
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores", flush=True)
    names = list(benchmarks) if folders else wanted.names or list(benchmarks)
    rows = list(_measured(benchmarks, names, wanted.scale))
    if wanted.page:
        for name in page.update(rows):
            print("not measured:", *name)


def _measured(
    benchmarks: dict[str, Callable[[Path, float], Iterator[Row]]], names: list[str], scale: float
) -> Iterator[Row]:
    """Run these, and print each row as soon as it is there."""
    for name in names:
        with tempfile.TemporaryDirectory(prefix=f"benchmark-{name}-") as folder:
            try:
                for row in benchmarks[name](Path(folder), scale):
                    print(row, flush=True)
                    yield row
            except Missing as missing:
                print(f"{name}: {missing}")


main()
