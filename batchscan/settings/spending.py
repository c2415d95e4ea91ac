"""Where a run stops starting new uploads, and what its state folder may spend by the calendar."""

from __future__ import annotations

from dataclasses import dataclass

from batchscan.settings.declaring import setting
from batchscan.settings.kinds import Flag, TimeZone
from batchscan.settings.numbers import Count, Duration

_YEAR = 366 * 86_400.0


@dataclass(frozen=True, slots=True)
class Spend:
    """Where a run stops starting new uploads."""

    max_credits: int | None = setting(
        None, "credits a run may spend", Count(0), flag="--max-credits"
    )
    per_day: int | None = setting(
        None, "credits that all runs of this state folder may spend in a calendar day", Count(0)
    )
    per_month: int | None = setting(
        None,
        "the same for a calendar month; what is asked again is spread evenly over its days",
        Count(0),
    )
    time_zone: str = setting(
        "UTC", "whose midnight begins a day, such as Europe/Berlin", TimeZone()
    )
    matched_first: bool = setting(
        False,
        "ask sooner again where copies were found: their answers count as twice as old",
        Flag(),
    )
    limit: int | None = setting(None, "pictures a run may send", Count(0), flag="--limit")
    max_duration: float | None = setting(
        None, "how long a run may start new uploads", Duration(0, _YEAR), flag="--max-duration"
    )
