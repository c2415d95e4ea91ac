"""Budgets: credits are reserved before a request is sent, so that none in flight overruns them."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from batchscan.enums import DeferReason
from batchscan.errors import CONTINUE, LimitReached
from batchscan.ledger import Prices
from batchscan.pipeline.calendar_budget import CalendarBudget, UsedUp, too_small
from batchscan.settings import Spend

_NOTHING = "raise it: with 0 nothing is sent"


@dataclass(slots=True, eq=False)
class Reservation:
    """Credits set aside for one request that is waiting or in flight."""

    credits: int
    is_rescan: bool  # the picture was answered before
    charged: int | None = 0  # what the request has cost; None if that is unknown


class Budget:
    """The limits of one run and of the calendar. Changes are synchronous; only waiting is not.

    Credits charged, or possibly charged, can exceed a budget only by what could not be known:
    for each request in flight when an answer shows a higher price, the difference between its
    charge and the largest charge seen when it was sent.
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
            charges: how often each charge occurred, by credits.
            started: monotonic seconds.
            windows: the calendar's budgets; None without any.
        """
        self._windows = windows
        self._most_seconds = spend.max_duration
        self.deadline = math.inf if spend.max_duration is None else started + spend.max_duration
        self._most_credits = spend.max_credits
        self._most_pictures = spend.limit
        self._prices = Prices(charges)
        # An odd charge may be a new price: one request has to show it before many are sent
        self._shown = self._prices.largest is not None and not self._prices.odd
        self._dearest = 0  # the largest charge of this run, plausible or not
        self._pictures = 0
        self._asking = 0  # pictures being submitted now
        self._nobody_asks = asyncio.Event()
        self._nobody_asks.set()
        self._reserved: list[Reservation] = []
        self._changed = asyncio.Condition()
        self._charged = 0
        self._doubts = 0  # requests that may have been charged without an answer

    def __repr__(self) -> str:
        return f"<Budget {self.spent} spent, {self._in_flight()} reserved of {self._most_credits}>"

    @property
    def price(self) -> int:
        """The expected cost of a picture, in credits."""
        return 1 if self._prices.largest is None else self._prices.largest

    @property
    def doubt(self) -> int:
        """The assumed cost of a request without an answer, in credits."""
        return max(1, self.price)

    @property
    def spent(self) -> int:
        """Credits charged, and each request without an answer at the price known now."""
        return self._charged + self._doubts * self.doubt

    def check_deadline(self, now: float) -> None:
        """Check `--max-duration`.

        Raises:
            LimitReached: the time is over.
        """
        if now >= self.deadline:
            raise LimitReached(
                f"--max-duration of {self._most_seconds:.10g} s is reached",
                reason=DeferReason.DURATION,
                advice=CONTINUE if self._most_seconds else _NOTHING,
            )

    @asynccontextmanager
    async def admitted(self, now: float) -> AsyncIterator[None]:
        """Count a picture that is submitted in this block.

        If the limit is reached, wait for the pictures that are being submitted: they may find a
        graver reason to stop, which then is the reason of the run.

        Raises:
            LimitReached: `--limit` pictures were submitted, or the time is over.
        """
        self.check_deadline(now)
        if self._most_pictures is not None and self._pictures >= self._most_pictures:
            await self._nobody_asks.wait()
            raise LimitReached(
                f"--limit {self._most_pictures} is reached",
                reason=DeferReason.LIMIT,
                advice=CONTINUE if self._most_pictures else _NOTHING,
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

    @asynccontextmanager
    async def reserved(self, *, again: bool = False) -> AsyncIterator[Reservation]:
        """Reserve credits for one request in this block, which enters what it has cost.

        Raises:
            LimitReached: the budget is used up.
        """
        reservation = await self.reserve(again=again)
        try:
            yield reservation
        finally:
            await self.settle(reservation, reservation.charged)

    async def reserve(self, *, again: bool = False) -> Reservation:
        """Reserve credits for one request; `settle` has to be called with the reservation.

        Waits while requests in flight may free credits. With `again` (the picture was answered
        before) no more than today's share of the month's budget may be used.

        Raises:
            LimitReached: the budget is used up.
        """
        async with self._changed:
            while (used_up := self._refusal_for_next(again=again)) is not None:
                if not self._reserved:
                    if self._prices.free and self._refusal_for(0, again=again) is None:
                        return self._set_aside(0, again=again)  # alone: it may cost something
                    raise LimitReached(
                        used_up.why, reason=DeferReason.BUDGET, advice=used_up.advice
                    )
                await self._changed.wait()
            return self._set_aside(self._next, again=again)

    def still_covers(self, reservation: Reservation) -> bool:
        """Whether a reservation still covers a request, as the price may have risen meanwhile.

        If not, settle it and reserve again.
        """
        if reservation.credits == 0 and self._prices.free:
            return True
        more = max(0, self._next - reservation.credits)
        if self._refusal_for(self._in_flight() + more, again=reservation.is_rescan) is not None:
            return False
        reservation.credits += more
        return True

    async def settle(self, reservation: Reservation, charged: int | None) -> None:
        """Close a reservation: the request cost `charged` credits, None if that is unknown."""
        async with self._changed:
            self._reserved.remove(reservation)
            self._charged += charged or 0
            self._doubts += charged is None
            if self._windows is not None:
                self._windows.spend(charged)
            self._changed.notify_all()

    def observe_charge(self, charge: int) -> None:
        """Learn a price from an answer, in credits."""
        self._prices.add(charge)
        self._dearest = max(self._dearest, charge)
        self._shown = True

    @property
    def _next(self) -> int:
        """Credits to reserve for the next request: at least 1, or there would be no bound."""
        return max(1, self.price, self._dearest)

    def _in_flight(self) -> int:
        return sum(reservation.credits for reservation in self._reserved)

    def _set_aside(self, credits_: int, *, again: bool) -> Reservation:
        reservation = Reservation(credits_, again)
        self._reserved.append(reservation)
        return reservation

    def _refusal_for_next(self, *, again: bool) -> UsedUp | None:
        """Why the next request has no credits; None if it has."""
        if self._most_credits is None and self._windows is None:
            return None
        if not self._shown and self._reserved:  # one request at a time until an answer shows it
            return UsedUp("the price of a picture is not known yet", CONTINUE)
        return self._refusal_for(self._in_flight() + self._next, again=again)

    def _refusal_for(self, more: int, *, again: bool) -> UsedUp | None:
        """Why `more` credits beyond the spent ones are not available; None if they are."""
        if self._most_credits is not None and self.spent + more > self._most_credits:
            advice = too_small("it", more) if more > self._most_credits else CONTINUE
            return UsedUp(f"--max-credits {self._most_credits} is reached", advice)
        return None if self._windows is None else self._windows.full(more, self.doubt, again=again)
