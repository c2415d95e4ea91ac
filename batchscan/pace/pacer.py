"""When the next request may be sent: plain arithmetic on given times, no waiting, no clock.

All windows of `--rate` apply at once. Requests are spaced evenly, a little wider than the rate
(`headroom`), because network jitter turns exactly 10/s into 429s. Lateness is made up only if
every window allows it, and by going a little faster, not by a burst: a burst arrives as a queue,
and its tail so late that the following requests look too fast.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence

from batchscan.settings import Rate

CATCH_UP = 0.5  # seconds of lateness that may be made up: a stall of disk or loop, not idling
HURRY = 0.8  # of the even spacing, while lateness is made up
AT_ONCE = 0.01  # seconds of lateness that are made up without spacing: the precision of timers
UNSETTLED = 1.0  # seconds after the first request in which others may arrive late
SLOW_ARRIVAL = 0.05  # seconds by which they may be late, if the rate is higher than that


class _Window:
    """The times of the last requests of one window, widened by the headroom."""

    def __init__(self, rate: Rate, headroom: float) -> None:
        self.requests = rate.requests
        self.period = rate.period * (1 + headroom)
        self._log: deque[float] = deque(maxlen=rate.requests)

    def left(self, at: float) -> None:
        self._log.append(max(at, self._log[-1]) if self._log else at)

    def free_at(self, share: float, outstanding: int) -> float:
        """When one more request fits, at this fraction of the rate."""
        most = max(1, math.ceil(self.requests * share)) - outstanding
        if most <= 0:
            return math.inf
        return self._log[-most] + self.period if len(self._log) >= most else -math.inf


class Pacer:
    """The slots of all windows together, at a fraction of the configured rate.

    A slot is reserved before its request is sent and recorded when it was: setting up a connection
    takes longer than the headroom, and the service counts arrivals. Times are seconds on any clock
    that does not step.
    """

    def __init__(self, rates: Sequence[Rate], headroom: float) -> None:
        self._windows = [_Window(rate, headroom) for rate in rates]
        self._interval = max(window.period / window.requests for window in self._windows)
        self._slot = -math.inf  # the next request by even spacing
        self._soonest = -math.inf  # the same while hurrying
        self._first = math.inf
        self._paused_until = -math.inf
        self._outstanding = 0  # slots reserved whose requests were not sent yet
        self.reservations = 0  # until now; the number of the latest
        self._before_latest = (self._slot, self._soonest)

    def __repr__(self) -> str:
        return f"<Pacer 1 per {self._interval:.4g} s, next {self._slot:.4g}>"

    @property
    def longest(self) -> float:
        """Seconds of the longest window."""
        return max(window.period for window in self._windows)

    def interval(self, share: float = 1.0) -> float:
        """Seconds between two requests, on average, at this fraction of the rate."""
        return self._interval / share

    def restore(self, times: Iterable[float]) -> None:
        """Record requests of earlier runs, oldest first."""
        for at in times:
            self._enter(at)
            self._slot = max(self._slot, at + self._interval)

    def pause(self, until: float) -> None:
        """Grant no slot before a time."""
        self._paused_until = max(self._paused_until, until)

    def next_at(self, share: float = 1.0) -> float:
        """The time of the next slot, in the past for now; infinity until a reserved one is sent."""
        free = max(window.free_at(share, self._outstanding) for window in self._windows)
        return max(self._slot, self._soonest, self._paused_until, free)

    def try_reserve(self, now: float, share: float = 1.0) -> bool:
        """Reserve the slot if its time has come; then call `record_sent` or `cancel`."""
        if self.next_at(share) > now:
            return False
        self.reservations += 1
        self._before_latest = (self._slot, self._soonest)
        interval = self.interval(share)
        on_time = now - self._slot <= CATCH_UP
        self._slot = (self._slot if on_time else now) + interval
        self._soonest = max(self._soonest, now - AT_ONCE) + HURRY * interval
        self._outstanding += 1
        return True

    def record_sent(self, at: float) -> None:
        """Record that the request of a slot is being sent."""
        self._outstanding -= 1
        self._first = min(self._first, at)
        settled = at - self._first >= UNSETTLED or self._interval >= SLOW_ARRIVAL
        self._enter(at if settled else at + SLOW_ARRIVAL)

    def cancel(self) -> None:
        """Give up a reserved slot, as nothing was sent; its time is not used again."""
        self._outstanding -= 1

    def give_back(self, reservation: int) -> None:
        """Give up a slot by its number, as sending was not even tried.

        Its time can be used again if it is the latest: at a rate of 1/h an hour is lost otherwise.
        """
        self.cancel()
        if reservation == self.reservations:
            self._slot, self._soonest = self._before_latest

    def _enter(self, at: float) -> None:
        for window in self._windows:
            window.left(at)
