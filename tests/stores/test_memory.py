"""fsspec's own store in memory: the shortest way through the walk and the reading."""

from __future__ import annotations

import pytest

from tests.pictures import png
from tests.stores.conftest import outcomes

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
