"""Bounds on concurrent work: bytes in flight, and one submission for each content."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


class ByteSemaphore:
    """A semaphore weighted by bytes; first come, first served, so that large files get a turn."""

    def __init__(self, most: int) -> None:
        self._free = most
        self._most = most
        self._waiters: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def hold(self, size: int) -> AsyncIterator[None]:
        """Hold `size` bytes during the block."""
        size = min(size, self._most)
        await self._acquire(size)
        try:
            yield
        finally:
            self._free += size
            self._hand_out()

    async def _acquire(self, size: int) -> None:
        if not self._waiters and size <= self._free:
            self._free -= size
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append((size, future))
        self._hand_out()
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self._free += size
            self._hand_out()
            raise

    def _hand_out(self) -> None:
        while self._waiters:
            size, future = self._waiters[0]
            if not future.done():
                if size > self._free:
                    return
                self._free -= size
                future.set_result(None)
            self._waiters.popleft()


@dataclass(slots=True)
class Flight(Generic[T]):
    """The turn of one of several tasks with the same key; with a result, nothing is to be done."""

    result: T | None = None  # None for the first task, until that sets it


class SingleFlight(Generic[T]):
    """Concurrent tasks with the same key: the first one works, the others get its result."""

    def __init__(self) -> None:
        self._under_way: dict[str, asyncio.Future[T]] = {}

    @asynccontextmanager
    async def join(self, key: str) -> AsyncIterator[Flight[T]]:
        """Enter first for a key, or once the first one has left, with its result.

        The first one sets `result` in the block. If it raises instead, all others raise the same.
        """
        if key in self._under_way:
            yield Flight(await asyncio.shield(self._under_way[key]))
            return
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._under_way[key] = future
        flight: Flight[T] = Flight()
        try:
            yield flight
            assert flight.result is not None  # noqa: S101 - as the docstring says
        except BaseException as error:
            future.set_exception(error)
            future.exception()  # mark as retrieved: there may be no other caller
            raise
        else:
            future.set_result(flight.result)
        finally:
            del self._under_way[key]
