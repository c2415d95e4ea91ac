"""The share of the configured rate that the service bears, learned from its 429s."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from batchscan.settings import Rate

MIN_SHARE = 0.01
FALL = 0.75  # a 429 takes a quarter of the rate, where it does not tell the limit
BACK_OFF = 0.9  # where it does: first well below, so that what was too much can pass
CLIMB_SECONDS = 30.0  # from the fall back to just below the wall
BELOW_WALL = 0.98
PROBE = 0.002  # of the wall, by the cube of the minutes: long near it, then ever quicker beyond
JITTER = 0.01  # of a window: so much earlier may a request have left that still counted


class AdaptiveRate:
    """Falls at once, climbs back to just below the last 429, then creeps on. Times in seconds.

    A service that refuses by a window like the configured one gives its limit away: it is what that
    window had let through when it refused. The first 429 is believed about that; later ones only
    as far as `FALL`, for a limit seldom sinks, and other things make 429s too. When nothing was
    let through since the last fall, no rate is to blame: pauses are the answer to that.
    """

    def __init__(self, rates: Sequence[Rate]) -> None:
        self.share_at_fall = 1.0
        self.ceiling = 1.0
        self.fell_at: float | None = None
        self._rates = rates
        longest = max(rate.requests for rate in rates)
        # A refusal takes its time to come, in which others leave.
        self._let_through: deque[float] = deque(maxlen=2 * longest + 1_000)

    def restore(self, share: float, wall: float, fell_at: float) -> None:
        """Go on from what an earlier run learned."""
        self.share_at_fall = min(1.0, max(MIN_SHARE, share))
        self.ceiling = min(1.0, max(self.share_at_fall, wall))
        self.fell_at = fell_at

    def at(self, now: float) -> float:
        """The share now, above 0 and at most 1."""
        if self.fell_at is None:
            return 1.0
        passed = max(0.0, now - self.fell_at)
        target = max(self.share_at_fall, BELOW_WALL * self.ceiling)
        climbed = (target - self.share_at_fall) * min(1.0, passed / CLIMB_SECONDS)
        minutes = max(0.0, passed - CLIMB_SECONDS) / 60
        return min(1.0, self.share_at_fall + climbed + PROBE * self.ceiling * minutes**3)

    def left(self, at: float) -> None:
        """A request leaves; it counts as let through until it is refused."""
        self._let_through.append(at)

    def refused(self, granted_at: float, left_at: float, now: float) -> bool:
        """A request got a 429; whether the rate fell.

        Those that were granted before the rate fell last say nothing about the rate since.
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
        """The largest share of a window that was let through when a request was refused."""
        return max(
            sum(0 < before - at < rate.period * (1 + JITTER) for at in self._let_through)
            / rate.requests
            for rate in self._rates
        )
