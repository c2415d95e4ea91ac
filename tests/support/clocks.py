"""A clock that tests move, and that moves itself to the next thing anybody waits for."""

from __future__ import annotations

import asyncio

from batchscan.pace import SystemClock


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


class QuickClock(SystemClock):
    """The machine's clock, twenty times as fast, so that pauses pass quickly."""

    SPEED = 20

    def monotonic(self) -> float:
        return super().monotonic() * self.SPEED

    async def wait(self, event, seconds: float) -> None:
        await super().wait(event, seconds / self.SPEED)


DAY = 86_400.0  # seconds


class LaterClock(QuickClock):
    """The wall says that it is some days later; each reading is a little later than the last."""

    def __init__(self, days: float = 0.0) -> None:
        self.days = days

    def wall(self) -> float:
        return super().wall() + self.days * DAY
