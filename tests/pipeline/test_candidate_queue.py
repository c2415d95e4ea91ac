"""What is put comes out once, in its order, whether it waited in memory, in a file or outside."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchscan.model import Candidate, Stat
from batchscan.pipeline import candidate_queue
from batchscan.pipeline.candidate_queue import CandidateQueue

STATS = st.none() | st.builds(
    Stat, st.integers(0, 2**62), st.integers(-(2**62), 2**62), st.integers(-(2**62), 2**62)
)
# Also what no UTF-8 is
PATHS = st.binary(min_size=1, max_size=20).map(lambda raw: raw.decode(errors="surrogateescape"))
CANDIDATES = st.builds(Candidate, PATHS, STATS, st.booleans(), st.none() | PATHS, st.booleans())


def candidates(start: int, count: int) -> list[Candidate]:
    return [Candidate(f"/p/{n}.jpg", Stat(n, n, n)) for n in range(start, start + count)]


async def all_of(line: CandidateQueue) -> list[Candidate]:
    found: list[Candidate] = []
    while batch := await line.get():
        found += batch
    return found


@settings(deadline=None)
@given(
    st.lists(st.lists(CANDIDATES, max_size=4), max_size=12),
    st.lists(st.booleans(), max_size=12),
    st.integers(1, 6),
)
def test_everything_comes_out_in_its_order(batches, gets, room):
    async def through() -> list[Candidate]:
        found: list[Candidate] = []
        waiting = 0
        with CandidateQueue() as line:
            for number, batch in enumerate(batches):
                await line.put(batch)
                waiting += bool(batch)
                if waiting and number < len(gets) and gets[number]:
                    found += await line.get()
                    waiting -= 1
            await line.end()
            return found + await all_of(line)

    before, candidate_queue.IN_MEMORY = candidate_queue.IN_MEMORY, room
    try:
        assert asyncio.run(through()) == [each for batch in batches for each in batch]
    finally:
        candidate_queue.IN_MEMORY = before


async def test_put_never_waits_for_get(monkeypatch):
    monkeypatch.setattr(candidate_queue, "IN_MEMORY", 10)
    with CandidateQueue() as line:
        for number in range(50):
            await asyncio.wait_for(line.put(candidates(number * 10, 10)), 60)
        await line.end()
        assert await all_of(line) == candidates(0, 500)


async def test_get_waits_for_candidates_that_come_later(monkeypatch):
    monkeypatch.setattr(candidate_queue, "IN_MEMORY", 1)
    with CandidateQueue() as line:
        getting = asyncio.create_task(all_of(line))
        for number in range(20):
            await asyncio.sleep(0)
            await line.put(candidates(number, 1))
        await line.end()
        assert await getting == candidates(0, 20)


@pytest.mark.parametrize("dead", ["/nowhere/at/all", "/proc"])
async def test_without_a_temporary_file_the_listing_waits_and_nothing_is_lost(monkeypatch, dead):
    monkeypatch.setattr(candidate_queue, "IN_MEMORY", 10)
    monkeypatch.setattr(tempfile, "tempdir", dead)

    async def put_all(line: CandidateQueue, batches: Sequence[Sequence[Candidate]]) -> None:
        for batch in batches:
            await line.put(batch)
        await line.end()

    with CandidateQueue() as line:
        batches = [candidates(number * 5, 5) for number in range(10)]
        putting = asyncio.create_task(put_all(line, batches))
        await asyncio.sleep(0.2)
        assert not putting.done()
        assert await all_of(line) == candidates(0, 50)
        await putting


async def test_a_full_disk_in_the_middle_loses_nothing(monkeypatch):
    monkeypatch.setattr(candidate_queue, "IN_MEMORY", 10)
    real, calls = os.pwrite, []

    def full(descriptor, data, offset):
        calls.append(offset)
        if len(calls) > 3:
            raise OSError(28, "No space left on device")
        return real(descriptor, bytes(data)[:7], offset)  # a write may be short, too

    monkeypatch.setattr(os, "pwrite", full)
    with CandidateQueue() as line:

        async def put_all() -> None:
            for number in range(10):
                await line.put(candidates(number * 10, 10))
            await line.end()

        putting = asyncio.create_task(put_all())
        assert await all_of(line) == candidates(0, 100)
        await putting
