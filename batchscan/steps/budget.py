"""Credits are reserved before anything is sent, so that what is under way never overruns them."""

from __future__ import annotations

import asyncio

from batchscan.errors import LimitReached
from batchscan.names import DeferReason
from batchscan.settings import Spend
from batchscan.steps.windows import Windows


class Budget:
    """The bounds of one run, and the calendar's. Changes are synchronous; only waiting is not."""

    def __init__(
        self, spend: Spend, price: int | None, started: float, windows: Windows | None = None
    ) -> None:
        """Start with the largest charge ever seen, or None when none was; monotonic seconds."""
        self._windows = windows
        self._started = started
        self._most_seconds = spend.max_duration
        self._most_credits = spend.max_credits
        self._most_pictures = spend.limit
        self._price = price
        self._pictures = 0
        self._reserved: list[int] = []
        self._changed = asyncio.Condition()
        self.spent = 0  # charged, and what may have been charged without an answer

    def __repr__(self) -> str:
        return (
            f"<Budget {self.spent} spent, {sum(self._reserved)} reserved of {self._most_credits}>"
        )

    @property
    def price(self) -> int:
        """What a picture is reckoned to cost, in credits."""
        return 1 if self._price is None else self._price

    def check_time(self, now: float) -> None:
        """Go on only within `--max-duration`.

        Raises:
            LimitReached: it is over.
        """
        if self._most_seconds is not None and now - self._started >= self._most_seconds:
            raise LimitReached(
                f"--max-duration of {self._most_seconds:.0f} s reached",
                reason=DeferReason.DURATION,
            )

    def start_picture(self, now: float) -> None:
        """Count a picture that is about to be asked about.

        Raises:
            LimitReached: `--limit` pictures were, or the time is over.
        """
        self.check_time(now)
        if self._most_pictures is not None and self._pictures >= self._most_pictures:
            raise LimitReached(
                f"--limit {self._most_pictures} pictures reached", reason=DeferReason.LIMIT
            )
        self._pictures += 1

    async def reserve(self, *, again: bool = False) -> int:
        """Set credits aside for one request; the reservation, to be given back.

        Waits while requests under way might give theirs back. `again` is for what was answered
        before, which a month's budget is spread over evenly.

        Raises:
            LimitReached: the budget is used up.
        """
        async with self._changed:
            while (why := self._lacking(again=again)) is not None:
                if not self._reserved:
                    raise LimitReached(why, reason=DeferReason.BUDGET)
                await self._changed.wait()
            self._reserved.append(self.price)
            return self.price

    async def give_back(self, reservation: int, charged: int) -> None:
        """The request is over; `charged` credits of it are spent, or must be taken to be."""
        async with self._changed:
            self._reserved.remove(reservation)
            self.spent += charged
            if self._windows is not None:
                self._windows.spend(charged)
            self._changed.notify_all()

    def learn(self, charge: int) -> None:
        """An answer has shown a price."""
        self._price = max(charge, self._price or 0)

    def _lacking(self, *, again: bool) -> str | None:
        """Why the next request's credits are not there; None where they are."""
        if self._most_credits is None and self._windows is None:
            return None
        if self._price is None and self._reserved:
            return "no price is known yet"  # the first goes alone until an answer has shown it
        more = sum(self._reserved) + self.price
        if self._most_credits is not None and self.spent + more > self._most_credits:
            return f"--max-credits {self._most_credits} reached"
        return None if self._windows is None else self._windows.full(more, again=again)
