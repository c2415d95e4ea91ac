"""A timeout that counts only the time in which the event loop ran.

A process that was stopped, or a machine that was suspended, finds its answers in its sockets when
it wakes. A plain timer has run out by then and is handled first: the answers would be discarded,
and paid for again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

SLICE = 1.0
"""Seconds that are counted at once, at most; the loop may sleep through one of them unnoticed."""

LATE = 0.25
"""Seconds by which a slice's end may come late before it counts as slept through."""

MAX_REPRIEVES = 5
"""Slices of a timeout that do not count because they ended late; a busy loop is late, too."""


class AwakeTimeout:
    """Ends the block with TimeoutError when it took too long, awake; `async with`."""

    def __init__(self) -> None:
        """Prepare; nothing is counted until `allow` is called."""
        self._timeout = asyncio.timeout(None)
        self._handle: asyncio.TimerHandle | None = None
        self._left = 0.0
        self._slice = 0.0
        self._due = 0.0
        self._reprieves = 0

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._handle is not None:
            self._handle.cancel()
        await self._timeout.__aexit__(kind, error, traceback)

    def allow(self, seconds: float) -> None:
        """Allow this much from now on, whatever was left."""
        self._reprieves = 0
        self._left = seconds
        now = asyncio.get_running_loop().time()
        if self._handle is not None and self._due <= now + seconds:
            # The slice that is under way stays, for a timer costs more than the rest of this:
            # only what is left of it counts.
            self._slice = max(0.0, self._due - now)
            return
        if self._handle is not None:
            self._handle.cancel()
        self._wait(now)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Count nothing of what the block takes."""
        if self._handle is None:
            yield
            return
        self._handle.cancel()
        self._left -= self._slice - max(0.0, self._due - asyncio.get_running_loop().time())
        try:
            yield
        finally:
            self._wait(asyncio.get_running_loop().time())

    def _wait(self, now: float) -> None:
        self._slice = max(0.0, min(SLICE, self._left))
        self._due = now + self._slice
        self._handle = asyncio.get_running_loop().call_at(self._due, self._tick)

    def _tick(self) -> None:
        now = asyncio.get_running_loop().time()
        late = now - self._due > LATE
        if late and self._reprieves < MAX_REPRIEVES:  # most of it was slept through
            self._reprieves += 1
            self._wait(now)
            return
        self._left -= self._slice
        if self._left > 0:
            self._wait(now)
        else:
            self._handle = None
            self._timeout.reschedule(now)
