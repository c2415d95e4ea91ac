"""A service with strict windows on faked time, and a run that keeps asking it through the real gate."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from batchscan.emulator.account import Windows
from batchscan.pace import Permit, RateLimiter
from batchscan.settings import Rate
from tests.support.clocks import FakeClock


class EventClock(FakeClock):
    """Waiting does what is due in the meantime, at its time."""

    def __init__(self) -> None:
        super().__init__()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        heapq.heappush(self._due, (self.now + seconds, next(self._numbers), do))

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        until = self.now + seconds
        while not event.is_set() and self._due and self._due[0][0] <= until:
            self.now, _, do = heapq.heappop(self._due)
            do()
        if not event.is_set():
            self.now = until


@dataclass
class Run:
    """Asks for a while; requests leave late, arrive late, and are answered late."""

    told: Sequence[Rate]
    true: Sequence[Rate]
    headroom: float = 0.02
    setup: float = 0.0  # seconds from the gate to the first byte, at most
    way: float = 0.0  # seconds from there to the service, at most
    latency: float = 0.05  # seconds until an answer
    seed: int = 0
    accepted: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = EventClock()
        self.chance = random.Random(self.seed)
        self.gate = RateLimiter(self.told, self.headroom, 1e9, self.clock, random.Random(self.seed))
        self.windows = Windows(self.true, self.clock.monotonic)

    def go(self, seconds: float, requests: int = 1_000_000) -> Run:
        asyncio.run(self._ask(seconds, requests))
        return self

    async def _ask(self, seconds: float, requests: int) -> None:
        for _ in range(requests):
            granted = await self.gate.acquire()
            assert granted is not None
            if self.clock.now > seconds:
                self.gate.release(granted)
                return
            self._later(self.setup, partial(self._leave, granted))

    def _later(self, most: float, do: Callable[[], None]) -> None:
        if most:
            self.clock.after(self.chance.uniform(0, most), do)
        else:
            do()

    def _leave(self, granted: Permit) -> None:
        self.gate.mark_sent(granted)
        self._later(self.way, lambda: self._arrive(granted))

    def _arrive(self, granted: Permit) -> None:
        wait = self.windows.take()
        if wait is None:
            self.accepted.append(self.clock.now)
            self.clock.after(self.latency, lambda: self.gate.succeeded(granted))
        else:
            self.refused.append(self.clock.now)
            back = min(self.latency, 0.3)  # a refusal comes quickly
            self.clock.after(back, lambda: self.gate.throttled(granted, None, away=False))

    def refused_after(self, seconds: float) -> float:
        """The part of the requests that were refused, after so many seconds."""
        refused = sum(at > seconds for at in self.refused)
        return refused / max(1, refused + sum(at > seconds for at in self.accepted))

    @property
    def rate(self) -> float:
        """Accepted requests a second, between the first and the last."""
        return (len(self.accepted) - 1) / (self.accepted[-1] - self.accepted[0])
