"""Timestamps in files: RFC 3339, UTC, milliseconds."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache


@lru_cache(1024)  # all matches of an answer have the same time
def rfc3339(seconds: float) -> str:
    """Write seconds since 1970 as `2026-11-23T18:02:37.250Z`."""
    written = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return written.removesuffix("+00:00") + "Z"


def elapsed(started_at: float, finished_at: float) -> float:
    """Seconds between two times, to the millisecond; 0 if the clock was set back meanwhile."""
    return round(max(0.0, finished_at - started_at), 3)


def utc_date(seconds: float) -> date:
    """The day of an instant, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).date()


def parse_rfc3339(written: str) -> float:
    """Read what `rfc3339` wrote."""
    return datetime.fromisoformat(written).timestamp()
