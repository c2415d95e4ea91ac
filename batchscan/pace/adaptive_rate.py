"""The fraction of the configured rate that the service accepts, learned from its 429s."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from batchscan.settings import Rate

MIN_SHARE = 0.01
FALL = 0.75  # factor after a 429 that does not show the limit
BACK_OFF = 0.9  # factor below a limit that it shows, so that the excess can drain
CLIMB_SECONDS = 30.0  # from a fall back to just below the ceiling
BELOW_WALL = 0.98
PROBE = 0.002  # of the ceiling, times the cube of the minutes: slow near it, then ever faster
JITTER = 0.01  # of a window: requests sent this much earlier may still count in it


class AdaptiveRate:
    """Falls at once, climbs back to just below the last 429, then probes on. Times in seconds.

    If the service limits by a window like the configured one, a 429 shows the limit: the requests
    accepted in that window. The first 429 is trusted; later ones lower the rate by `FALL` at most,
    as limits seldom sink and 429s have other causes, too. If nothing was accepted since the last
    fall, the rate is not the cause, and only pauses help.
    """

    def __init__(self, rates: Sequence[Rate]) -> None:
        self.share_at_fall = 1.0
        self.ceiling = 1.0
        self.fell_at: float | None = None
        self._rates = rates
        longest = max(rate.requests for rate in rates)
        # Other requests are sent until a refusal arrives.
        self._let_through: deque[float] = deque(maxlen=2 * longest + 1_000)

    def restore(self, share: float, ceiling: float, fell_at: float) -> None:
        """Continue with the rate that an earlier run learned."""
        self.share_at_fall = min(1.0, max(MIN_SHARE, share))
        self.ceiling = min(1.0, max(self.share_at_fall, ceiling))
        self.fell_at = fell_at

    def at(self, now: float) -> float:
        """The current fraction, above 0 and at most 1."""
        if self.fell_at is None:
            return 1.0
        passed = max(0.0, now - self.fell_at)
        target = max(self.share_at_fall, BELOW_WALL * self.ceiling)
        climbed = (target - self.share_at_fall) * min(1.0, passed / CLIMB_SECONDS)
        minutes = max(0.0, passed - CLIMB_SECONDS) / 60
        return min(1.0, self.share_at_fall + climbed + PROBE * self.ceiling * minutes**3)

    def left(self, at: float) -> None:
        """Record a request, which counts as accepted until it is refused."""
        self._let_through.append(at)

    def refused(self, granted_at: float, left_at: float, now: float) -> bool:
        """Record a 429; returns whether the rate fell.

        Requests permitted before the last fall do not count: they were sent at another rate.
        """
        with suppress(ValueError):
            self._let_through.remove(left_at)
        if self.fell_at is not None and not self._blames(self.fell_at, granted_at, left_at):
            return False
        share = self.at(granted_at)
        measured = self._measured(left_at)
        if 0 < measured < share:
            least = MIN_SHARE if self.fell_at is None else FALL * share
            self.ceiling = max(least, measured)
            self.share_at_fall = BACK_OFF * self.ceiling
        else:
            self.ceiling = share
            self.share_at_fall = FALL * share
        self.share_at_fall = max(MIN_SHARE, self.share_at_fall)
        self.fell_at = now
        return True

    def _blames(self, fell_at: float, granted_at: float, left_at: float) -> bool:
        return granted_at > fell_at and any(fell_at < at < left_at for at in self._let_through)

    def _measured(self, before: float) -> float:
        """The largest fraction of a window that was accepted before a refused request."""
        return max(
            sum(0 < before - at < rate.period * (1 + JITTER) for at in self._let_through)
            / rate.requests
            for rate in self._rates
        )
