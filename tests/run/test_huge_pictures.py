"""A run over many pictures of 200 megapixels, by the real command."""

from __future__ import annotations

import asyncio
import itertools
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from batchscan.images.decoding.child import MEMORY
from batchscan.util.system import PAGE_BYTES
from tests.support import huge_pictures
from tests.support.colours import COLOURS
from tests.support.pictures import tree
from tests.support.processes import Process, all_lines, reports

MIB = 1024**2
THE_REST = 512 * MIB  # of the command itself, and of a second decoder that waits for its turn


def memory_of_all(pid: int) -> int:
    """Bytes that a process and those that it started have in memory now."""
    total = 0
    with suppress(OSError):  # one may end meanwhile
        total = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
        for thread in Path(f"/proc/{pid}/task").iterdir():
            children = (thread / "children").read_text().split()
            total += sum(memory_of_all(int(child)) for child in children)
    return total


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
async def test_many_huge_pictures_at_once_take_the_memory_of_one(bench):
    # No two alike: what is sent of equal pixels is equal, and asked about once.
    orders = iter(itertools.permutations(COLOURS))
    pictures = {
        f"{name}-{number}.{suffix}": make(next(orders))
        for name, suffix, make in (
            ("photo", "jpg", huge_pictures.jpeg),
            ("screen", "png", huge_pictures.png),
            ("scan", "tif", huge_pictures.tiff_of),
        )
        for number in range(2)
    }
    tree(bench.images, pictures)
    process = await Process(bench, forks=False).start("-j", "16")
    ended = asyncio.ensure_future(process.communicate())
    most = 0
    while not ended.done():
        most = max(most, memory_of_all(process.pid))
        await asyncio.wait((ended,), timeout=0.05)
    out, err = await ended

    assert process.returncode == 0, (out, err)
    [report] = reports(bench)
    assert (report["files"]["scanned"], report["files"]["converted"]) == (6, 6)
    sizes = {(line.sent.width, line.sent.height) for line in all_lines(bench) if line.sent}
    assert sizes == {(2048, 1024)}
    assert 800 * MIB < most < MEMORY + THE_REST, f"{most / MIB:,.0f} MiB"
