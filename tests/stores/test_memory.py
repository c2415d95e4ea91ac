"""fsspec's own store in memory: the shortest way through the walk and the reading."""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from tempfile import TemporaryFile

import pytest

from batchscan.images import read_remote
from tests.stores.conftest import outcomes
from tests.support.photographs import encoded, photograph, resized
from tests.support.pictures import png

memory = pytest.importorskip("fsspec.implementations.memory")


@pytest.fixture
def files():
    yield memory.MemoryFileSystem()
    memory.MemoryFileSystem.store.clear()
    memory.MemoryFileSystem.pseudo_dirs[:] = [""]


async def test_a_store_is_scanned_and_known_again(files, bench_of):
    for number, key in enumerate(("a.png", "x/y/b.png", "x/unnamed")):
        files.pipe_file(f"/top/{key}", png(16, 16, number))
    async with bench_of("memory://top") as bench:
        first = await bench.scan()
        files.pipe_file("/top/a.png", png(16, 16, 9))
        second = await bench.scan()

    assert outcomes(first) == dict.fromkeys(("a.png", "x/y/b.png", "x/unnamed"), "scanned")
    assert outcomes(second) == {"a.png": "scanned"}
    assert second.report.files.unchanged == 2


async def test_versions_in_a_store_are_covered_also_by_what_an_earlier_run_asked(files, bench_of):
    original = photograph(1, (600, 450))
    files.pipe_file("/top/a.jpg", encoded(original))
    files.pipe_file("/top/x/a-400x300.jpg", encoded(resized(original, 400)))
    async with bench_of("memory://top") as bench:
        first = await bench.scan(scan={"renditions": "cover"})
        files.pipe_file("/top/a-300x225.jpg", encoded(resized(original, 300)))
        second = await bench.scan(scan={"renditions": "cover"})

    assert outcomes(first) == {"a.jpg": "scanned", "x/a-400x300.jpg": "covered"}
    assert outcomes(second) == {"a-300x225.jpg": "covered"}


async def test_an_ignore_file_that_cannot_be_read_leaves_its_folder_out(files, bench_of):
    files.pipe_file("/top/a.png", png(16, 16, 1))
    files.pipe_file("/top/x/.batchscanignore", b"[[:alpha:]]\n")
    files.pipe_file("/top/x/b.png", png(16, 16, 2))
    async with bench_of("memory://top") as bench:
        ran = await bench.scan()

    assert outcomes(ran) == {"a.png": "scanned"}
    assert (ran.report.files.unreadable_folders, ran.exit_code) == (1, 3)


async def test_a_root_whose_pictures_are_all_excluded_is_not_called_empty(files, bench_of):
    files.pipe_file("/top/a.png", png(16, 16, 1))
    async with bench_of("memory://top") as bench:
        await bench.scan()
        excluding = await bench.scan(scan={"exclude": ("*.png",)})
        files.rm_file("/top/a.png")
        files.makedirs("/top", exist_ok=True)
        gone = await bench.scan()

    assert (excluding.report.files.empty_roots, excluding.exit_code) == ([], 0)
    assert (gone.report.files.empty_roots, gone.exit_code) == (["memory://top"], 3)


async def test_what_cannot_be_looked_into_is_unreadable(files, bench_of, monkeypatch):
    def refuse(self, path, **words):
        raise PermissionError(path)

    files.pipe_file("/top/unnamed", png(16, 16, 1))
    monkeypatch.setattr(memory.MemoryFileSystem, "cat_file", refuse)
    async with bench_of("memory://top") as bench:
        ran = await bench.scan()

    assert outcomes(ran) == {"unnamed": "unreadable"}
    assert (ran.report.files.ignored, ran.exit_code) == (0, 3)


async def test_what_is_too_large_goes_by_parts_through_a_temporary_file(
    files, bench_of, monkeypatch
):
    monkeypatch.setattr(read_remote, "PART", 7_000)
    big = png(300, 300, 4)
    files.pipe_file("/top/big.png", big)
    files.pipe_file("/top/big.svg", b"<svg>" + b" " * 30_000 + b"</svg>")
    files.pipe_file("/top/small.png", png(16, 16, 1))
    async with bench_of("memory://top") as bench:
        ran = await bench.scan(scan={"max_bytes": 10_000})

    assert outcomes(ran) == {"big.png": "scanned", "small.png": "scanned", "big.svg": "too_large"}
    [line] = [line for line in ran.lines.values() if line.path.endswith("big.png")]
    assert len(big) > 10_000
    assert line.sha256 == hashlib.sha256(big).hexdigest()
    assert (line.sent.recipe, line.sent.width) == ("r1", 300)


@pytest.mark.slow
async def test_few_large_objects_lie_on_the_disk_at_once(files, bench_of, monkeypatch):
    now: list[object] = []
    most = 0

    @contextmanager
    def counting(**words):
        nonlocal most
        with TemporaryFile(**words) as file:
            now.append(file)
            most = max(most, len(now))
            try:
                yield file
            finally:
                now.remove(file)

    monkeypatch.setattr(read_remote, "TemporaryFile", counting)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    for number in range(8):
        files.pipe_file(f"/top/{number}.png", png(300, 300, number))
    async with bench_of("memory://top") as bench:
        ran = await bench.scan(scan={"max_bytes": 10_000})

    assert ran.statuses() == {"scanned": 8}
    assert 1 <= most <= read_remote.MAX_COPIES
