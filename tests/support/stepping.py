"""A clock that steps while a scan runs."""

from __future__ import annotations

from collections.abc import Callable

from batchscan import Scan
from tests.support.bench import Bench, Ran
from tests.support.clocks import QuickClock

HOUR, DAY = 3600.0, 86400.0


class SteppingClock(QuickClock):
    """A clock whose two hands can be moved."""

    def __init__(self, wall: float = 0.0) -> None:
        self.wall_ahead = wall
        self.monotonic_ahead = 0.0

    def wall(self) -> float:
        return super().wall() + self.wall_ahead

    def monotonic(self) -> float:
        return super().monotonic() + self.monotonic_ahead


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
