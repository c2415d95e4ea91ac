"""The windows of `pace.per_host`, one for each host that sends."""

from __future__ import annotations

import math
from collections.abc import Callable

from batchscan.model import Image
from batchscan.pace import Clock, Permit, RateLimiter
from batchscan.settings import Settings


class HostRateLimiter:
    """A rate limiter for each host; a picture keeps its slot until it is sent or released."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Without `pace.per_host` there is no limit."""
        self._pace = settings.pace
        self._retry_for = settings.api.retry_for
        self._clock = clock
        self._gates: dict[str, RateLimiter] = {}
        self._passed: dict[int, tuple[str, RateLimiter, Permit]] = {}  # by the picture's id()
        self._closed = False

    async def acquire(self, image: Image, host: str, until: float = math.inf) -> None:
        """Wait for a slot of the host, unless the picture has one there.

        Returns without one if closed, and at the monotonic time `until`.
        """
        if self._pace.per_host is None or self._closed:
            return
        passed = self._passed.get(id(image))
        if passed is not None and passed[0] == host:
            return
        self.cancel_waits(image)
        limiter = self._limiter(host)
        permit = await limiter.acquire(until)
        if permit is not None:
            self._passed[id(image)] = host, limiter, permit

    def mark_sent(self, image: Image) -> Callable[[], None]:
        """Use up a picture's slot; returns a function to call when the picture is sent."""
        passed = self._passed.pop(id(image), None)
        if passed is None:
            return _nothing
        _, limiter, permit = passed
        return lambda: limiter.mark_sent(permit)

    def cancel_waits(self, image: Image) -> None:
        """Release a picture's slot, if it has one."""
        passed = self._passed.pop(id(image), None)
        if passed is not None:
            passed[1].release(passed[2])

    def close(self) -> None:
        """Wake everything that waits, as the run stops."""
        self._closed = True
        for limiter in self._gates.values():
            limiter.close()

    def _limiter(self, host: str) -> RateLimiter:
        limiter = self._gates.get(host)
        if limiter is None:
            rates = self._pace.per_host or ()
            limiter = RateLimiter(rates, self._pace.headroom, self._retry_for, self._clock)
            self._gates[host] = limiter
        return limiter


def _nothing() -> None:
    """Do nothing: there is no limit."""
