from __future__ import annotations

import asyncio
import time

from batchscan.pace import AwakeClock


async def test_what_the_loop_slept_through_does_not_count_and_the_rest_does():
    async with AwakeClock(time.monotonic) as awake:
        await asyncio.sleep(0)
        began = awake.seconds()
        await asyncio.sleep(0.2)
        at_work = awake.seconds() - began
        time.sleep(2.5)  # noqa: ASYNC251 - the loop stands still, as in a stopped process
        woken = awake.seconds() - began

    assert 0.2 <= at_work < 1.0
    assert at_work <= woken < at_work + 1.5
