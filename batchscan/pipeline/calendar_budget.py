"""The budgets of the calendar, which hold for all runs of a state folder together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from batchscan.ledger import Spent
from batchscan.report.wording import amount
from batchscan.settings import Spend
from batchscan.util.calendar import DAY, MONTH, CalendarWindow, zone_of


class UsedUp(NamedTuple):
    """A budget without credits for the next request."""

    why: str
    advice: str  # what helps, as the same command may end in the same way


def too_small(budget: str, price: int) -> str:
    """Advice about a budget that is below the price of one picture, however often it is asked."""
    return f"raise {budget}: the next picture may cost {amount(price, 'credit')}"


@dataclass(slots=True)
class CalendarBudget:
    """The day's and month's budget. Requests in flight count in the current day and month."""

    day: CalendarWindow
    month: CalendarWindow
    now: Callable[[], float] = field(repr=False)  # seconds since 1970

    @classmethod
    def of(
        cls, spend: Spend, now: Callable[[], float], spent_since: Callable[[float, int], Spent]
    ) -> CalendarBudget | None:
        """Open the windows with what the ledger has counted; None without such a setting.

        Args:
            spend: the settings.
            now: returns seconds since 1970.
            spent_since: returns what was spent since a time, given that and the smallest budget.
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
        """Start new windows if the day or month has changed."""
        now = self.now()
        self.day.move_to(now)
        self.month.move_to(now)

    def spend(self, credits_: int | None) -> None:
        """Count credits charged now; None if the charge is unknown."""
        self.move()
        for window in (self.day, self.month):
            window.spent += credits_ or 0
            window.doubts += credits_ is None

    def full(self, more: int, price: int, *, again: bool) -> UsedUp | None:
        """Why no more credits may be spent now; None if they may.

        Args:
            more: credits in flight, and those of the next request.
            price: assumed cost of each request without an answer.
            again: whether the picture was answered before; see `Budget.reserve`.
        """
        self.move()
        for window in (self.month, self.day):  # a new day does not help in a month without credits
            if window.most is not None and window.total(price) + more > window.most:
                later = f"run the same command again then, or raise {window.setting}"
                advice = too_small(window.setting, more) if more > window.most else later
                return UsedUp(window.describe(), advice)
        share = self._share(price) if again else None
        if share is not None and self.day.total(price) + more > share:
            return UsedUp(
                f"today's even share of {MONTH}, {amount(share, 'credit')}, is used up",
                f"run the same command again tomorrow, or raise {MONTH}",
            )
        return None

    def _share(self, price: int) -> int | None:
        """Today's credits of the month's budget, spread over its remaining days."""
        if self.month.most is None:
            return None
        left = self.month.most - (self.month.total(price) - self.day.total(price))
        days = max(1, round((self.month.ends_at - self.day.starts_at) / 86_400))
        return -(-max(0, left) // days)
