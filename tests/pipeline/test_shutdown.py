from __future__ import annotations

import asyncio

import pytest

from batchscan.errors import NoCredits, StopRun
from batchscan.pace import SystemClock
from batchscan.pipeline.shutdown import Shutdown


async def test_a_stop_interrupts_sleep_at_once():
    stop = Shutdown(SystemClock())
    sleeper = asyncio.create_task(stop.sleep(3600))
    await asyncio.sleep(0)
    stop.request(NoCredits("no credits left"))

    with pytest.raises(StopRun, match="no credits"):
        await sleeper
