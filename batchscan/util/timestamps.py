"""Points in time: seconds since 1970, and as they are written into files."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final

MAX_TIME: Final = 253_402_300_799.0
"""The last second of the year 9999; no clock was ever before 1970 (0)."""


def utc_time(seconds: float) -> datetime:
    """The date and time of an instant, in UTC.

    Raises:
        ValueError: it is outside of the calendar, which ends with the year 9999.
    """
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError) as error:
        raise ValueError(f"a time outside of the calendar: {seconds!r}") from error


@lru_cache(1024)  # all matches of an answer have the same time
def rfc3339(seconds: float) -> str:
    """Write seconds since 1970 as `2026-11-23T18:02:37.250Z`, or raise like `utc_time`."""
    written = utc_time(seconds).isoformat(timespec="milliseconds")
    return written.removesuffix("+00:00") + "Z"


def elapsed(started_at: float, finished_at: float) -> float:
    """Seconds between two times, to the millisecond; 0 if the clock was set back meanwhile."""
    return round(max(0.0, finished_at - started_at), 3)


def utc_date(seconds: float) -> date:
    """The day of an instant, in UTC, or raise like `utc_time`."""
    return utc_time(seconds).date()


def parse_rfc3339(written: str) -> float:
    """Read what `rfc3339` wrote."""
    return datetime.fromisoformat(written).timestamp()
