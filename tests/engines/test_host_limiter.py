"""Windows of each host that sends."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from batchscan import Pace, Rate, Settings
from batchscan.engines.host_limiter import HostRateLimiter
from batchscan.model import Image, Stat
from batchscan.pace import SystemClock

A, B = "10.0.0.1", "10.0.0.2"


def pictures(count: int) -> list[Image]:
    stat = Stat(4, 0, 0)
    one = Image("/a.png", stat, b"", "0" * 64, "png", 1, 1, "image/png", "a.png")
    return [replace(one, path=f"/{number}.png") for number in range(count)]


def pace(*rates: Rate) -> HostRateLimiter:
    return HostRateLimiter(Settings(pace=Pace(per_host=rates or None, headroom=0.0)), SystemClock())


async def waits(hosts: HostRateLimiter, image: Image, host: str) -> bool:
    """Whether a picture has to wait for its slot."""
    try:
        async with asyncio.timeout(0.05):
            await hosts.acquire(image, host)
    except TimeoutError:
        return True
    return False


async def test_without_a_limit_no_request_waits():
    hosts = pace()
    for image in pictures(50):
        assert not await waits(hosts, image, A)


async def test_each_host_has_a_window_of_its_own():
    hosts = pace(Rate(1, 60.0))
    first, second, third = pictures(3)

    assert not await waits(hosts, first, A)
    assert await waits(hosts, second, A)
    assert not await waits(hosts, third, B)


async def test_a_picture_keeps_its_slot_until_it_is_sent():
    hosts = pace(Rate(1, 60.0))
    first, second = pictures(2)

    assert not await waits(hosts, first, A)
    assert not await waits(hosts, first, A)
    hosts.mark_sent(first)()
    assert await waits(hosts, second, A)


async def test_a_released_slot_goes_to_the_next_request():
    hosts = pace(Rate(2, 0.01))
    images = pictures(20)
    for image in images:
        await asyncio.wait_for(hosts.acquire(image, A), 60.0)
        hosts.cancel_waits(image)


async def test_a_picture_that_moves_needs_a_slot_where_it_is_now():
    hosts = pace(Rate(1, 60.0))
    first, second = pictures(2)
    await hosts.acquire(first, A)
    await hosts.acquire(second, B)

    assert await waits(hosts, first, B)


@pytest.mark.parametrize("late", [False, True])
async def test_nobody_waits_once_the_run_stops(late):
    hosts = pace(Rate(1, 60.0))
    first, second = pictures(2)
    await hosts.acquire(first, A)
    waiting = None if late else asyncio.create_task(hosts.acquire(second, A))
    await asyncio.sleep(0)
    hosts.close()

    await asyncio.wait_for(waiting or hosts.acquire(second, A), 60.0)
