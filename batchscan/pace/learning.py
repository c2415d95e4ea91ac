"""The share of the told rate that the service bears, learned from its 429s."""

from __future__ import annotations

LEAST_SHARE = 0.01
FALL = 0.75  # a 429 takes a quarter of the rate
CLIMB_SECONDS = 30.0  # from the fall back to just below the wall
BELOW_WALL = 0.98
PROBE_A_MINUTE = 0.02  # then slowly beyond it: the limit may have been raised


class LearnedShare:
    """Falls at once, climbs back to just below the last 429, then creeps on. Times in seconds."""

    def __init__(self) -> None:
        self.share_at_fall = 1.0
        self.wall = 1.0
        self.fell_at: float | None = None

    def restore(self, share: float, wall: float, fell_at: float) -> None:
        """Go on from what an earlier run learned."""
        self.share_at_fall = min(1.0, max(LEAST_SHARE, share))
        self.wall = min(1.0, max(self.share_at_fall, wall))
        self.fell_at = fell_at

    def at(self, now: float) -> float:
        """The share now, above 0 and at most 1."""
        if self.fell_at is None:
            return 1.0
        passed = max(0.0, now - self.fell_at)
        target = max(self.share_at_fall, BELOW_WALL * self.wall)
        climbed = (target - self.share_at_fall) * min(1.0, passed / CLIMB_SECONDS)
        crept = PROBE_A_MINUTE * max(0.0, passed - CLIMB_SECONDS) / 60
        return min(1.0, self.share_at_fall + climbed + crept)

    def refused(self, sent_at: float, now: float) -> bool:
        """A request that left at `sent_at` got a 429; whether the rate fell.

        Those that had left before the rate fell last say nothing about the rate since.
        """
        if self.fell_at is not None and sent_at <= self.fell_at:
            return False
        self.wall = self.at(now)
        self.share_at_fall = max(LEAST_SHARE, self.wall * FALL)
        self.fell_at = now
        return True
