"""Calendar days and months of a time zone, and what was spent in the current ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

DAY, MONTH = "spend.per_day", "spend.per_month"


def zone_of(name: str) -> tzinfo:
    """The time zone of a setting; UTC is there without a database of zones."""
    return UTC if name == "UTC" else ZoneInfo(name)


@dataclass(slots=True)
class CalendarWindow:
    """A calendar window: how much may be spent in it, and how much was."""

    setting: str  # DAY or MONTH
    most: int | None  # None: counted only
    zone: tzinfo
    starts_at: float = -math.inf  # seconds since 1970, like the next
    ends_at: float = -math.inf
    spent: int = 0  # credits
    doubts: int = 0  # requests of which nobody knows what they cost

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
        self.starts_at, self.ends_at = self._midnight(first), self._midnight(after)
        self.spent = self.doubts = 0
        return True

    def total(self, price: int) -> int:
        """Credits that count as spent, where a request in doubt cost `price`."""
        return self.spent + self.doubts * price

    def describe(self) -> str:
        """The window's setting, its bound and when it ends, for messages."""
        until = datetime.fromtimestamp(self.ends_at, self.zone).isoformat(timespec="minutes")
        return f"{self.setting} of {self.most} credits is used up until {until}"

    def _midnight(self, day: date) -> float:
        return datetime.combine(day, time(), self.zone).timestamp()
