"""A clock that steps while a scan runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from batchscan import Scan
from batchscan.pace import Clock
from tests.support.bench import Bench, Ran

HOUR, DAY = 3600.0, 86400.0


class SteppingClock:
    """A clock whose two hands can be moved."""

    def __init__(self, base: Clock, wall: float = 0.0) -> None:
        self._base = base
        self.wall_ahead = wall
        self.monotonic_ahead = 0.0

    def wall(self) -> float:
        return self._base.wall() + self.wall_ahead

    def monotonic(self) -> float:
        return self._base.monotonic() + self.monotonic_ahead

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        await self._base.wait(event, seconds)


async def scan(bench: Bench, clock: SteppingClock, midway: Callable[[], None], **changes) -> Ran:
    """Scan; something happens when the fifth outcome is there."""
    async with Scan(bench.settings(**changes), clock) as run:
        decided = 0
        async for _ in run:
            decided += 1
            if decided == 5:
                midway()
    return bench.ran(run.report)


def steps(clock: SteppingClock, wall: float, monotonic: float = 0.0) -> Callable[[], None]:
    def step() -> None:
        clock.wall_ahead += wall
        clock.monotonic_ahead += monotonic

    return step
