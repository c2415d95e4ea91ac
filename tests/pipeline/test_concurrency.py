from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.pipeline.concurrency import ByteSemaphore, SingleFlight


@given(st.lists(st.integers(0, 150), max_size=25))
async def test_bytes_in_flight_never_exceed_the_bound_and_all_get_their_turn(sizes):
    bound = ByteSemaphore(100)
    held, done = 0, []

    async def one(size: int) -> None:
        nonlocal held
        async with bound.hold(size):
            held += min(size, 100)
            assert held <= 100
            await asyncio.sleep(0)
            held -= min(size, 100)
        done.append(size)

    await asyncio.gather(*(one(size) for size in sizes))

    assert sorted(done) == sorted(sizes)


async def test_a_large_one_is_not_overtaken_for_ever_by_small_ones():
    bound = ByteSemaphore(100)
    order: list[int] = []

    async def one(size: int) -> None:
        async with bound.hold(size):
            order.append(size)
            await asyncio.sleep(0)

    await asyncio.gather(*(one(size) for size in (60, 100, 1, 2)))

    assert order == [60, 100, 1, 2]


async def test_a_waiter_that_goes_away_leaves_its_place_to_the_next():
    bound = ByteSemaphore(10)

    async def take(size: int) -> None:
        async with bound.hold(size):
            pass

    async with bound.hold(10):
        gone = asyncio.create_task(take(10))
        patient = asyncio.create_task(take(5))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
    await patient

    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_files_with_the_same_bytes_share_one_answer():
    in_flight: SingleFlight[int] = SingleFlight()
    asked = 0

    async def ask() -> int | None:
        nonlocal asked
        async with in_flight.join("sha") as flight:
            if flight.result is None:
                asked += 1
                await asyncio.sleep(0)
                flight.result = 42
        return flight.result

    assert await asyncio.gather(*(ask() for _ in range(5))) == [42] * 5
    assert asked == 1


async def test_files_with_the_same_bytes_share_a_failure_and_a_later_one_asks_anew():
    in_flight: SingleFlight[int] = SingleFlight()

    async def fail() -> None:
        async with in_flight.join("sha"):
            await asyncio.sleep(0)
            raise ValueError("no")

    results = await asyncio.gather(*(fail() for _ in range(3)), return_exceptions=True)

    assert [type(result) for result in results] == [ValueError] * 3
    async with in_flight.join("sha") as flight:
        assert flight.result is None
        flight.result = 1
