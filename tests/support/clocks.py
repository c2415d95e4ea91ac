"""Clocks for tests: one that tests move, and one that skips what a run would only wait for."""

from __future__ import annotations

import asyncio
import time

from batchscan.pace import SystemClock
from tests.support.skipping import Skipping, skipping

DAY = 86_400.0  # seconds


class FakeClock:
    """Waiting takes no time: the clock jumps. Good for one waiter at a time."""

    def __init__(self, wall: float = 1_800_000_000.0) -> None:
        self.now = 0.0
        self._wall = wall

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self._wall + self.now

    def step_wall(self, seconds: float) -> None:
        self._wall += seconds

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        await asyncio.sleep(0)
        if not event.is_set():
            self.now += max(0.0, seconds)


class SkippingClock(SystemClock):
    """The time of the running event loop, which skips what everybody on it only waits for.

    For emulators too: their windows, faults and pauses are on the same time as the run's. The
    wall's time is the machine's and what was skipped, since files have the machine's.
    """

    def __init__(self) -> None:
        self._time: Skipping = skipping(asyncio.get_running_loop())

    def monotonic(self) -> float:
        return self._time.time()

    def wall(self) -> float:
        return time.time() + self._time.skipped

    def skip(self, seconds: float) -> None:
        """Let this much pass at once."""
        self._time.skip(seconds)


class LaterClock(SkippingClock):
    """The wall says that it is some days later; each reading is a little later than the last."""

    def __init__(self, days: float = 0.0) -> None:
        super().__init__()
        self.days = days

    def wall(self) -> float:
        return super().wall() + self.days * DAY
