"""Tracking an outage of the service: how long it lasts, and the next pause; it never waits."""

from __future__ import annotations

import random
from collections.abc import Hashable

MAX_PAUSE = 60.0  # the vendor's page on failures: 1, 2, 4... up to 60 s
FAILING_PICTURES = 3  # this many different ones failing in a row mean an outage


def backoff(failures: int, jitter: random.Random) -> float:
    """Seconds to wait after `failures` in a row (from 1): 1, 2, 4... plus up to 1, at most 60."""
    return min(MAX_PAUSE, 2.0 ** min(failures - 1, 6) + jitter.random())


class Outage:
    """The failures in a row since the last good answer.

    Times in seconds: `awake` on a clock that stops while the process is suspended, against which
    `retry_for` is measured; the others on the clock of the rate limiter.
    """

    def __init__(self, retry_for: float, jitter: random.Random) -> None:
        self.since: float | None = None
        self.away = False  # one probe at a time, the others wait
        self._retry_for = retry_for
        self._jitter = jitter
        self._failures = 0
        self._paused_at: float | None = None
        self._pictures: set[Hashable] = set()

    def over(self, sent_at: float) -> None:
        """End the outage if a request sent at `sent_at`, after it began, got a real answer."""
        self.since = None
        self.away = False
        self._pictures.clear()
        if self._paused_at is None or sent_at > self._paused_at:
            self._failures = 0

    def failed(self, picture: Hashable, *, reached: bool, awake: float) -> bool:
        """Record a failed request; returns whether the service counts as unavailable."""
        self._begin(awake)
        self._pictures.add(picture)
        self.away = self.away or not reached or len(self._pictures) >= FAILING_PICTURES
        return self.away

    def pause(
        self, sent_at: float, floor: float | None, *, now: float, awake: float
    ) -> float | None:
        """The time until which to pause, at least `floor` seconds; None if it lasts too long."""
        left = self._retry_for - (awake - self._begin(awake))
        if left <= 0 or (floor or 0) > left:
            return None
        if self._paused_at is None or sent_at > self._paused_at:
            self._failures += 1
            self._paused_at = now
        return now + max(floor or 0, min(backoff(self._failures, self._jitter), left))

    def _begin(self, awake: float) -> float:
        if self.since is None:
            self.since = awake
        return self.since
