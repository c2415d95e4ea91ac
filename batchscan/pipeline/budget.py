"""Credits are reserved before anything is sent, so that what is under way never overruns them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from batchscan.enums import DeferReason
from batchscan.errors import LimitReached
from batchscan.ledger import Prices, Spent
from batchscan.settings import Spend
from batchscan.util.calendar import DAY, MONTH, CalendarWindow, zone_of


@dataclass(slots=True, eq=False)
class Reservation:
    """Credits set aside for one request that waits or is under way."""

    credits: int
    is_rescan: bool  # for what was answered before


class Budget:
    """The bounds of one run, and the calendar's. Changes are synchronous; only waiting is not.

    What is charged and may have been charged exceeds a budget by no more than nobody could know:
    for each request that had left when a dearer answer came, its charge above the largest charge
    seen until it left.
    """

    def __init__(
        self,
        spend: Spend,
        charges: Mapping[int, int] | None,
        started: float,
        windows: CalendarBudget | None = None,
    ) -> None:
        """Start a run.

        Args:
            spend: the settings.
            charges: how often each charge ever came, in credits.
            started: monotonic seconds.
            windows: of the calendar.
        """
        self._windows = windows
        self._started = started
        self._most_seconds = spend.max_duration
        self._most_credits = spend.max_credits
        self._most_pictures = spend.limit
        self._prices = Prices(charges)
        # An odd charge may be a new price: then this run looks before it sends many at once
        self._shown = self._prices.largest is not None and not self._prices.odd
        self._dearest = 0  # of this run, plausible or not
        self._pictures = 0
        self._asking = 0  # pictures at this moment
        self._nobody_asks = asyncio.Event()
        self._nobody_asks.set()
        self._reserved: list[Reservation] = []
        self._changed = asyncio.Condition()
        self._charged = 0
        self._doubts = 0  # requests that may have been charged without an answer

    def __repr__(self) -> str:
        return f"<Budget {self.spent} spent, {self._under_way()} reserved of {self._most_credits}>"

    @property
    def price(self) -> int:
        """What a picture is reckoned to cost, in credits."""
        return 1 if self._prices.largest is None else self._prices.largest

    @property
    def doubt(self) -> int:
        """What a request without an answer is taken to have cost, in credits."""
        return max(1, self.price)

    @property
    def spent(self) -> int:
        """Credits charged, and what may have been: each doubt at what is known to be the price now."""
        return self._charged + self._doubts * self.doubt

    def check_deadline(self, now: float) -> None:
        """Go on only within `--max-duration`.

        Raises:
            LimitReached: it is over.
        """
        if self._most_seconds is not None and now - self._started >= self._most_seconds:
            raise LimitReached(
                f"--max-duration of {self._most_seconds:.0f} s reached",
                reason=DeferReason.DURATION,
            )

    @asynccontextmanager
    async def admitted(self, now: float) -> AsyncIterator[None]:
        """Count a picture, which is asked about in this block.

        Where the limit is reached this waits for the pictures that are being asked about: they
        may find a graver reason to stop, and then the limit is not what keeps the rest back.

        Raises:
            LimitReached: `--limit` pictures were asked about, or the time is over.
        """
        self.check_deadline(now)
        if self._most_pictures is not None and self._pictures >= self._most_pictures:
            await self._nobody_asks.wait()
            raise LimitReached(
                f"--limit {self._most_pictures} pictures reached", reason=DeferReason.LIMIT
            )
        self._pictures += 1
        self._asking += 1
        self._nobody_asks.clear()
        try:
            yield
        finally:
            self._asking -= 1
            if not self._asking:
                self._nobody_asks.set()

    async def reserve(self, *, again: bool = False) -> Reservation:
        """Set credits aside for one request; the reservation, to be given back.

        Waits while requests under way might give theirs back. `again` is for what was answered
        before, which a month's budget is spread over evenly.

        Raises:
            LimitReached: the budget is used up.
        """
        async with self._changed:
            while (why := self._lacking(again=again)) is not None:
                if not self._reserved:
                    if self._prices.free and self._lack(0, again=again) is None:
                        return self._set_aside(0, again=again)  # alone: it may cost after all
                    raise LimitReached(why, reason=DeferReason.BUDGET)
                await self._changed.wait()
            return self._set_aside(self._next, again=again)

    def still_covers(self, reservation: Reservation) -> bool:
        """Whether a request may leave now, at the price of now: it has risen while this waited.

        Where it may not, its reservation is to be given back, and another one asked for.
        """
        if reservation.credits == 0 and self._prices.free:
            return True
        more = max(0, self._next - reservation.credits)
        if self._lack(self._under_way() + more, again=reservation.is_rescan) is not None:
            return False
        reservation.credits += more
        return True

    async def settle(self, reservation: Reservation, charged: int | None) -> None:
        """The request is over, and cost so many credits; None where nobody knows how many."""
        async with self._changed:
            self._reserved.remove(reservation)
            self._charged += charged or 0
            self._doubts += charged is None
            if self._windows is not None:
                self._windows.spend(charged)
            self._changed.notify_all()

    def observe_charge(self, charge: int) -> None:
        """An answer has shown a price."""
        self._prices.add(charge)
        self._dearest = max(self._dearest, charge)
        self._shown = True

    @property
    def _next(self) -> int:
        """What is set aside for a request: never nothing, or it would let in any number."""
        return max(1, self.price, self._dearest)

    def _under_way(self) -> int:
        return sum(reservation.credits for reservation in self._reserved)

    def _set_aside(self, credits_: int, *, again: bool) -> Reservation:
        reservation = Reservation(credits_, again)
        self._reserved.append(reservation)
        return reservation

    def _lacking(self, *, again: bool) -> str | None:
        """Why the next request's credits are not there; None where they are."""
        if self._most_credits is None and self._windows is None:
            return None
        if not self._shown and self._reserved:
            return "no price is known yet"  # the first goes alone until an answer has shown it
        return self._lack(self._under_way() + self._next, again=again)

    def _lack(self, more: int, *, again: bool) -> str | None:
        """Why so many credits beyond the spent ones are not there; None where they are."""
        if self._most_credits is not None and self.spent + more > self._most_credits:
            return f"--max-credits {self._most_credits} reached"
        return None if self._windows is None else self._windows.full(more, self.doubt, again=again)


@dataclass(slots=True)
class CalendarBudget:
    """The windows of a run's settings. What is under way counts in the current ones."""

    day: CalendarWindow
    month: CalendarWindow
    now: Callable[[], float] = field(repr=False)  # seconds since 1970

    @classmethod
    def of(
        cls, spend: Spend, now: Callable[[], float], spent_since: Callable[[float, int], Spent]
    ) -> CalendarBudget | None:
        """Windows as the ledger has filled them; None where no setting bounds any.

        Args:
            spend: the settings.
            now: gives seconds since 1970.
            spent_since: gives what was spent since a time; gets the smallest bound, too.
        """
        bounds = [most for most in (spend.per_day, spend.per_month) if most is not None]
        if not bounds:
            return None
        zone = zone_of(spend.time_zone)
        windows = cls(
            CalendarWindow(DAY, spend.per_day, zone),
            CalendarWindow(MONTH, spend.per_month, zone),
            now,
        )
        windows.move()
        for window in (windows.day, windows.month):
            window.spent, window.doubts = spent_since(window.starts_at, min(bounds))
        return windows

    def move(self) -> None:
        """Be at the current moment."""
        now = self.now()
        self.day.move_to(now)
        self.month.move_to(now)

    def spend(self, credits_: int | None) -> None:
        """Count what was charged just now; None where nobody knows how much."""
        self.move()
        for window in (self.day, self.month):
            window.spent += credits_ or 0
            window.doubts += credits_ is None

    def full(self, more: int, price: int, *, again: bool) -> str | None:
        """Why no more credits may be spent now; None where they may.

        Args:
            more: credits under way, and those of the next request.
            price: what each request in doubt is taken to have cost.
            again: whether this asks again, which is spread evenly over the days of a month.
        """
        self.move()
        for window in (self.day, self.month):
            if window.most is not None and window.total(price) + more > window.most:
                return window.describe()
        share = self._share(price) if again else None
        if share is not None and self.day.total(price) + more > share:
            return f"today's even share of {MONTH}, {share} credits, is used up"
        return None

    def _share(self, price: int) -> int | None:
        """Credits of the month that are today's, where the rest is spread over its days."""
        if self.month.most is None:
            return None
        left = self.month.most - (self.month.total(price) - self.day.total(price))
        days = max(1, round((self.month.ends_at - self.day.starts_at) / 86_400))
        return -(-max(0, left) // days)
