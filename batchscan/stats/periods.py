"""Weeks and months (UTC) as days since 1970 fall into them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Literal, TypeAlias

By: TypeAlias = Literal["week", "month"]
MAX_PERIODS = 520  # ten years of weeks; what is older is one figure
_EPOCH = date(1970, 1, 1).toordinal()
_DECEMBER = 12


def start_of(day: int, by: By) -> date:
    """The first day of the week (a Monday) or month of a day."""
    when = date.fromordinal(_EPOCH + day)
    if by == "month":
        return when.replace(day=1)
    return date.fromordinal(max(1, when.toordinal() - when.weekday()))


def label_of(start: date, by: By) -> str:
    """The name of a period: `2026-W48`, `2026-11`."""
    if by == "month":
        return f"{start:%Y-%m}"
    year, week, _ = start.isocalendar()
    return f"{year}-W{week:02}"


def periods(first: date, last: date, by: By) -> Iterator[date]:
    """The starts of all periods from one to another, without a gap; the newest ones of many."""
    starts = [last]
    while starts[-1] > first and len(starts) < MAX_PERIODS:
        starts.append(_before(starts[-1], by))
    yield from reversed(starts)


def _before(start: date, by: By) -> date:
    if by == "week":
        return start - timedelta(days=7)
    if start.month == 1:
        return date(start.year - 1, _DECEMBER, 1)
    return date(start.year, start.month - 1, 1)
