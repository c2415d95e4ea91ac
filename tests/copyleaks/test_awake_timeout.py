from __future__ import annotations

import asyncio
import time

import pytest

from batchscan.copyleaks import awake_timeout
from batchscan.copyleaks.awake_timeout import AwakeTimeout


async def spend(seconds: float, *, allowed: tuple[float, ...]) -> None:
    async with AwakeTimeout() as timeout:
        for allowance in allowed:
            timeout.allow(allowance)
            await asyncio.sleep(0.05)
        await asyncio.sleep(seconds)


async def test_what_takes_too_long_awake_ends_with_a_timeout():
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        await spend(20, allowed=(0.2,))
    assert 0.2 <= time.monotonic() - began < 5


async def test_each_step_has_the_time_that_it_is_allowed():
    async with AwakeTimeout() as timeout:
        for _ in range(4):
            timeout.allow(0.5)
            await asyncio.sleep(0.2)


async def test_a_new_allowance_holds_whole_in_the_middle_of_a_slice(monkeypatch):
    monkeypatch.setattr(awake_timeout, "SLICE", 0.2)
    began = 0.0
    with pytest.raises(TimeoutError):  # noqa: PT012 - what is allowed before is part of it
        async with AwakeTimeout() as timeout:
            timeout.allow(0.3)
            await asyncio.sleep(0.1)
            timeout.allow(0.5)
            began = time.monotonic()
            await asyncio.sleep(20)
    assert 0.49 <= time.monotonic() - began < 5


async def test_a_shorter_allowance_holds_from_when_it_is_given():
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        await spend(20, allowed=(60, 0.1))
    assert time.monotonic() - began < 5


async def test_time_in_which_the_loop_did_not_run_does_not_count():
    async with AwakeTimeout() as timeout:
        timeout.allow(0.5)
        await asyncio.sleep(0)
        time.sleep(1.0)  # noqa: ASYNC251 - the loop stands still, as in a stopped process
        await asyncio.sleep(0.1)


async def test_a_block_that_is_cancelled_is_not_taken_for_late():
    async def work() -> None:
        async with AwakeTimeout() as timeout:
            timeout.allow(60)
            await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
