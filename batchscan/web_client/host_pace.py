"""One connection and one request in a while to each host."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from batchscan.pace import Clock
from batchscan.web_client.fetch_results import Stopped

_MAX_REMEMBERED: Final = 4_096  # hosts


class _Host:
    __slots__ = ("lock", "next_at", "users")

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.next_at = float("-inf")
        self.users = 0


class HostPace:
    """Spaces requests by host.

    Args:
        pause: seconds between the beginnings of two requests to a host.
        clock: for times and pauses.
        stop: when set, no more turns are given.
    """

    def __init__(self, pause: float, clock: Clock, stop: asyncio.Event | None = None) -> None:
        self._pause = pause
        self._clock = clock
        self._hosts: dict[str, _Host] = {}
        self._stop = stop or asyncio.Event()

    @asynccontextmanager
    async def turn(self, host: str) -> AsyncIterator[None]:
        """Wait until a request may be made, and keep others away until it is over.

        Raises:
            Stopped: none is to be made any more.
        """
        slot = self._hosts.setdefault(host, _Host())
        slot.users += 1
        try:
            async with slot.lock:
                while (wait := slot.next_at - self._clock.monotonic()) > 0:
                    if self._stop.is_set():
                        break
                    await self._clock.wait(self._stop, wait)
                if self._stop.is_set():
                    raise Stopped
                slot.next_at = self._clock.monotonic() + self._pause
                yield
        finally:
            slot.users -= 1
            if len(self._hosts) > _MAX_REMEMBERED:
                self._forget()

    def _forget(self) -> None:
        """Drop hosts that have no waiting requests and no pause left."""
        now = self._clock.monotonic()
        idle = [name for name, host in self._hosts.items() if not host.users and host.next_at < now]
        for name in idle:
            del self._hosts[name]
