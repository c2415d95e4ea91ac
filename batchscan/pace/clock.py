"""The clock that is injected into everything that paces or waits, so that tests can move it."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Two clocks and a way to wait, in seconds."""

    def monotonic(self) -> float:
        """Never steps; means nothing outside this process."""
        ...

    def wall(self) -> float:
        """Seconds since 1970; may step."""
        ...

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        """Return when the event is set or the seconds are over, whichever is first."""
        ...


class SystemClock:
    """The machine's clocks."""

    def monotonic(self) -> float:
        """`time.monotonic`."""
        return time.monotonic()

    def wall(self) -> float:
        """`time.time`."""
        return time.time()

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        """Wait on the running loop."""
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return
