"""Time in which this process ran: what it was stopped or suspended for does not count.

A timeout counts the time in which something was tried. While a process sleeps nothing is tried, and
answers that arrive wait unread in its sockets.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

TICK = 0.5  # seconds between two checks of the time
LATE = 0.5  # seconds by which a look may be late before the rest counts as slept


class AwakeClock:
    """A clock that stops while the event loop does; only inside `async with`, else it never stops."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Prepare; `now` returns monotonic seconds."""
        self._now = now
        self._slept = 0.0
        self._expected = math.inf  # when the next check should have happened
        self._checking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._checking = asyncio.create_task(self._check_regularly())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._checking is not None:
            self._checking.cancel()
            await asyncio.wait([self._checking])

    def seconds(self) -> float:
        """Seconds since an arbitrary moment, without time slept."""
        self._notice()
        return self._now() - self._slept

    def _notice(self) -> None:
        """Subtract the time slept since the last call, if there was any."""
        at = time.monotonic()
        if at > self._expected:
            self._slept += at - self._expected
            self._expected = at

    async def _check_regularly(self) -> None:
        while True:
            self._notice()
            self._expected = time.monotonic() + TICK + LATE
            await asyncio.sleep(TICK)
