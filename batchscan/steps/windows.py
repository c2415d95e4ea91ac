"""Calendar days and months of a time zone, and what was spent in the current ones."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from batchscan.settings import Spend

DAY, MONTH = "spend.per_day", "spend.per_month"


def zone_of(name: str) -> tzinfo:
    """The time zone of a setting; UTC is there without a database of zones."""
    return UTC if name == "UTC" else ZoneInfo(name)


@dataclass(slots=True)
class Window:
    """A calendar window: how much may be spent in it, and how much was."""

    setting: str  # DAY or MONTH
    most: int | None  # None: counted only
    zone: tzinfo
    starts_at: float = -math.inf  # seconds since 1970, like the next
    ends_at: float = -math.inf
    spent: int = 0

    def move_to(self, now: float) -> bool:
        """Be the window that `now` is in; whether it is another one than before.

        A clock that steps back leaves the window as it is: nothing becomes free by it.
        """
        if now < self.ends_at:
            return False
        first = datetime.fromtimestamp(now, self.zone).date()
        if self.setting == DAY:
            after = first + timedelta(days=1)
        else:
            first = first.replace(day=1)
            after = (first + timedelta(days=31)).replace(day=1)
        self.starts_at, self.ends_at, self.spent = self._midnight(first), self._midnight(after), 0
        return True

    def describe(self) -> str:
        """The window's setting, its bound and when it ends, for messages."""
        until = datetime.fromtimestamp(self.ends_at, self.zone).isoformat(timespec="minutes")
        return f"{self.setting} of {self.most} credits is used up until {until}"

    def _midnight(self, day: date) -> float:
        return datetime.combine(day, time(), self.zone).timestamp()


@dataclass(slots=True)
class Windows:
    """The windows of a run's settings. What is under way counts in the current ones."""

    day: Window
    month: Window
    now: Callable[[], float] = field(repr=False)  # seconds since 1970

    @classmethod
    def of(
        cls, spend: Spend, now: Callable[[], float], spent_since: Callable[[float, int], int]
    ) -> Windows | None:
        """Windows as the ledger has filled them; None where no setting bounds any.

        Args:
            spend: the settings.
            now: gives seconds since 1970.
            spent_since: gives the credits spent since a time; gets the smallest bound, too.
        """
        bounds = [most for most in (spend.per_day, spend.per_month) if most is not None]
        if not bounds:
            return None
        zone = zone_of(spend.time_zone)
        windows = cls(Window(DAY, spend.per_day, zone), Window(MONTH, spend.per_month, zone), now)
        windows.move()
        for window in (windows.day, windows.month):
            window.spent = spent_since(window.starts_at, min(bounds))
        return windows

    def move(self) -> None:
        """Be at the current moment."""
        now = self.now()
        self.day.move_to(now)
        self.month.move_to(now)

    def spend(self, credits_: int) -> None:
        """Count what was charged just now."""
        self.move()
        self.day.spent += credits_
        self.month.spent += credits_

    def full(self, more: int, *, again: bool) -> str | None:
        """Why no more credits may be spent now; None where they may.

        Args:
            more: credits under way, and those of the next request.
            again: whether this asks again, which is spread evenly over the days of a month.
        """
        self.move()
        for window in (self.day, self.month):
            if window.most is not None and window.spent + more > window.most:
                return window.describe()
        share = self._share() if again else None
        if share is not None and self.day.spent + more > share:
            return f"today's even share of {MONTH}, {share} credits, is used up"
        return None

    def _share(self) -> int | None:
        """Credits of the month that are today's, where the rest is spread over its days."""
        if self.month.most is None:
            return None
        left = self.month.most - (self.month.spent - self.day.spent)
        days = max(1, round((self.month.ends_at - self.day.starts_at) / 86_400))
        return -(-max(0, left) // days)
