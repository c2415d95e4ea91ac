"""The limiter for all requests: slots, shared pauses, and one probe at a time in an outage."""

from __future__ import annotations

import asyncio
import logging
import math
import random
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

from batchscan.errors import Unavailable
from batchscan.ledger import LearnedRate
from batchscan.pace.adaptive_rate import AdaptiveRate
from batchscan.pace.clock import Clock
from batchscan.pace.outage import Outage
from batchscan.pace.pacer import Pacer
from batchscan.settings import Rate

log = logging.getLogger(__name__)

TOO_FAST, AWAY = "429 pause", "service not available, pause"
MAX_LOOK = 60.0  # seconds between two checks while waiting; changes wake it earlier
MAX_KEPT = 3600.0  # seconds of a pause that the next run takes over at most
_WHAT = {TOO_FAST: "kept refusing requests (429)", AWAY: "was not available or kept failing"}


@dataclass(slots=True)
class Permit:
    """The right to send one request now; monotonic seconds."""

    granted_at: float
    probe: bool  # the only request in an outage, to see whether the service is back
    reservation: int  # the number of its slot
    sent_at: float | None = None  # when the first byte was sent
    used: bool = False  # its result was recorded, or it was released


class RateLimiter:
    """Grants permits in order of arrival; waiting does not count as an attempt.

    The owner of a `Permit` calls `mark_sent` when the first byte is sent, then one of
    `succeeded`, `throttled` and `failed`, and `release` in any case.
    """

    def __init__(
        self,
        rates: Sequence[Rate],
        headroom: float,
        retry_for: float,
        clock: Clock,
        jitter: random.Random | None = None,
        awake: Callable[[], float] | None = None,
    ) -> None:
        """Limit to `rates`; `retry_for` is measured by `awake`, by default with the clock."""
        self._awake = awake or clock.monotonic
        self._clock = clock
        self._schedule = Pacer(rates, headroom)
        self._learned = AdaptiveRate(rates)
        self._outage = Outage(retry_for, jitter or random.Random())  # noqa: S311 - no secret
        self._retry_for = retry_for
        self._turn = asyncio.Lock()  # fair: first come, first served
        self._changed = asyncio.Event()
        self._probing = False
        self._closed = False
        self._pause: tuple[float, str] = (0.0, "")
        self._refused_until = -math.inf  # an earlier run's pause that is too long to wait for
        self.rate_limited = 0  # 429s

    def __repr__(self) -> str:
        return f"<RateLimiter {self._schedule!r} {self.waiting or 'open'}>"

    @property
    def waiting(self) -> str | None:
        """The reason of the pause, as text for users; None without a pause."""
        until, why = self._pause
        seconds = until - self._clock.monotonic()
        if seconds > 0:
            return f"{why} {seconds:.0f} s"
        return "service not available, probing" if self._outage.away else None

    async def acquire(self, until: float = math.inf) -> Permit | None:
        """Wait for a permit; None once the limiter is closed, or at the monotonic time `until`.

        Raises:
            Unavailable: the service asked an earlier run for a pause longer than `--retry-for`.
        """
        async with self._turn:
            while not self._closed:
                now = self._clock.monotonic()
                if now >= until:
                    return None
                if now < self._refused_until:
                    raise self._still_refused(self._refused_until - now)
                if self._outage.away and self._probing:
                    await self._sleep(min(MAX_LOOK, until - now))
                elif self._schedule.try_reserve(now, self._learned.at(now)):
                    self._probing = self._outage.away
                    return Permit(now, self._probing, self._schedule.reservations)
                else:
                    wait = self._schedule.next_at(self._learned.at(now)) - now
                    await self._sleep(min(wait, MAX_LOOK, until - now))
        return None

    def mark_sent(self, permit: Permit) -> None:
        """Record that the first byte of the request is being sent."""
        if permit.sent_at is None:
            permit.sent_at = self._clock.monotonic()
            self._schedule.record_sent(permit.sent_at)
            self._learned.left(permit.sent_at)
            self._changed.set()

    def close(self) -> None:
        """Grant no more permits, as the run stops."""
        self._closed = True
        self._changed.set()

    def succeeded(self, permit: Permit) -> None:
        """Record a normal answer: the service is available."""
        self._outage.over(permit.granted_at)
        self._done(permit)

    def release(self, permit: Permit) -> None:
        """Release a permit; it has no effect on one with a result."""
        if not permit.used:
            self._done(permit, tried=False)

    def throttled(
        self, permit: Permit, retry_after: float | None, *, away: bool, detail: str = ""
    ) -> None:
        """Record that the service asked for a pause: 429, or 503 (`away`).

        Raises:
            Unavailable: it refuses for longer than `--retry-for`, or asks for a longer pause.
        """
        self._done(permit)
        if away:
            self._outage.away = True
        else:
            self.rate_limited += 1
            left_at = permit.granted_at if permit.sent_at is None else permit.sent_at
            self._learned.refused(permit.granted_at, left_at, self._clock.monotonic())
        self._hold(permit, retry_after, AWAY if away else TOO_FAST, detail)

    def failed(self, permit: Permit, picture: Hashable, *, reached: bool, detail: str = "") -> bool:
        """Record a failed request; returns whether the service counts as unavailable now.

        Raises:
            Unavailable: the outage lasts longer than `--retry-for`.
        """
        self._done(permit)
        away = self._outage.failed(picture, reached=reached, awake=self._awake())
        if away:
            self._hold(permit, None, AWAY, detail)
        return away

    def restore(self, sends: Iterable[float], learned: LearnedRate | None) -> None:
        """Continue with the requests and learned rate of earlier runs; times since 1970."""
        shift = self._clock.monotonic() - self._clock.wall()
        now = self._clock.monotonic()
        # A time in the future means that the clock was set back: count it as now.
        self._schedule.restore(min(now, at + shift) for at in sends)
        if learned is not None:
            if learned.fraction < 1:
                since = min(now, learned.learned_at + shift)
                self._learned.restore(learned.fraction, learned.ceiling, since)
            self._remember_pause(learned, now, shift)

    def _remember_pause(self, learned: LearnedRate, now: float, shift: float) -> None:
        """Wait for the rest of an earlier run's pause."""
        length = min(MAX_KEPT, learned.paused_until - learned.learned_at)
        until = min(learned.paused_until + shift, now + length)
        if learned.learned_at + shift > now:  # the clock was set back: the rest is not known
            until = min(until, now + self._retry_for)
        if until > now + self._retry_for:
            self._refused_until = until
        self._schedule.pause(until)
        self._pause = (until, TOO_FAST)

    @property
    def longest_window(self) -> float:
        """Seconds of the longest window."""
        return self._schedule.longest

    @property
    def interval(self) -> float:
        """Seconds between two requests, on average, at the current rate."""
        return self._schedule.interval(self._learned.at(self._clock.monotonic()))

    @property
    def learned(self) -> LearnedRate | None:
        """The learned rate and pause for later runs; None without any 429."""
        fell_at, now = self._learned.fell_at, self._clock.monotonic()
        if fell_at is None and self._pause[0] <= now:
            return None
        shift = self._clock.wall() - now
        return LearnedRate(
            fraction=self._learned.share_at_fall,
            ceiling=self._learned.ceiling,
            learned_at=(now if fell_at is None else fell_at) + shift,
            paused_until=self._pause[0] + shift,
        )

    def _still_refused(self, seconds: float) -> Unavailable:
        return Unavailable(
            f"the API asked an earlier run to pause, and {seconds:.0f} s of that pause are left: "
            f"longer than --retry-for allows ({self._retry_for:.0f} s)",
            advice="run the same command after that, or raise --retry-for",
        )

    def _hold(self, permit: Permit, floor: float | None, why: str, detail: str) -> None:
        now, awake = self._clock.monotonic(), self._awake()
        until = self._outage.pause(permit.granted_at, floor, now=now, awake=awake)
        if until is None:
            if floor:  # for the next run
                self._pause = max(self._pause, (now + min(floor, MAX_KEPT), why))
            raise Unavailable(
                f"the API {_WHAT[why]} for longer than --retry-for allows"
                f" ({self._retry_for:.0f} s)" + (f"; the last failure: {detail}" if detail else ""),
                advice="check the network connection and the vendor's status page, then run the "
                "same command again to continue",
            )
        self._schedule.pause(until)
        if until > self._pause[0]:
            self._pause = (until, why)
            log.info("%s %.1f s", why, until - self._clock.monotonic())

    def _done(self, permit: Permit, *, tried: bool = True) -> None:
        permit.used = True
        if permit.sent_at is None and tried:
            self._schedule.cancel()
        elif permit.sent_at is None:
            self._schedule.give_back(permit.reservation)
        if permit.probe:
            self._probing = False
        self._changed.set()

    async def _sleep(self, seconds: float) -> None:
        self._changed.clear()
        await self._clock.wait(self._changed, seconds)
