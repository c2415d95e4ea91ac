"""Calendar days and months in a time zone, with the credits spent in the current ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

DAY, MONTH = "spend.per_day", "spend.per_month"


def zone_of(name: str) -> tzinfo:
    """The time zone of a setting; UTC works without a database of zones."""
    return UTC if name == "UTC" else ZoneInfo(name)


@dataclass(slots=True)
class CalendarWindow:
    """The current day or month, with its budget and the credits spent."""

    setting: str  # DAY or MONTH
    most: int | None  # None: counted only
    zone: tzinfo
    starts_at: float = -math.inf  # seconds since 1970, like the next
    ends_at: float = -math.inf
    spent: int = 0  # credits
    doubts: int = 0  # requests of unknown cost

    def move_to(self, now: float) -> bool:
        """Move to the window with `now`; returns whether it has changed.

        A clock that steps back does not change the window, so that it frees no credits.
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
        """Credits that count as spent, with `price` for each request of unknown cost."""
        return self.spent + self.doubts * price

    def describe(self) -> str:
        """The window's setting, its limit and its end, for messages."""
        until = datetime.fromtimestamp(self.ends_at, self.zone).isoformat(timespec="minutes")
        unit = "credit" if self.most == 1 else "credits"
        return f"{self.setting} of {self.most} {unit} is used up until {until}"

    def _midnight(self, day: date) -> float:
        return datetime.combine(day, time(), self.zone).timestamp()
