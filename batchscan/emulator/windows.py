"""Strict sliding windows: none of them ever holds more than its rate."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from batchscan.settings.units import Rate


class Windows:
    """Several windows that hold at once.

    A request that is refused takes no place. One exactly a period after another is outside
    that one's window.
    """

    def __init__(self, rates: Iterable[Rate], clock: Callable[[], float]) -> None:
        self._logs = [(rate, deque[float]()) for rate in rates]
        self._clock = clock

    def take(self) -> float | None:
        """Take a place now; gives None, or the seconds until one is free."""
        wait = self.wait()
        if wait is None:
            now = self._clock()
            for _, log in self._logs:
                log.append(now)
        return wait

    def wait(self) -> float | None:
        """Seconds until a place is free, or None where one is."""
        now = self._clock()
        waits = [wait for rate, log in self._logs if (wait := _wait(rate, log, now)) is not None]
        return max(waits, default=None)


def _wait(rate: Rate, log: deque[float], now: float) -> float | None:
    while log and log[0] + rate.period <= now:
        log.popleft()
    if len(log) < rate.requests:
        return None
    return log[0] + rate.period - now if log else rate.period
