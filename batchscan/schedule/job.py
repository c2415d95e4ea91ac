"""A scheduled scan: everything that units and crontab lines are made from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from batchscan.errors import UsageError
from batchscan.settings.units import format_duration, parse_duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A scan that is started regularly; paths are absolute."""

    name: str
    timing: Timing
    program: tuple[str, ...]  # the executable first
    words: tuple[str, ...]  # the arguments of the scan
    environment: Mapping[str, str]  # nothing secret
    secrets: tuple[str, ...]  # the names of variables that hold secrets
    key_file: str | None  # with the API key; None if the settings name one or none is needed
    pictures: tuple[str, ...]  # only read
    writes: tuple[str, ...]  # folders, apart from the one that systemd creates
    uses: tuple[str, ...]  # every path that must exist: Python's own, settings, all above
    user: str | None  # None: root
    skips: bool  # whether it ends silently if another run holds the lock
    patience: float  # seconds to wait for requests in flight when it is stopped


USUAL = "02:15"  # when little else goes on, and no clock is turned
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_HOUR, _DAY, _WEEK = 3600, 86_400, 604_800
_MAX_DELAY = 900.0  # seconds
_ALLOWED = "minutes that divide an hour, hours that divide a day, 1d or 7d"


@dataclass(frozen=True, slots=True)
class Timing:
    """A regular time, in the machine's time zone."""

    calendar: str  # as systemd's OnCalendar= has it
    cron: str  # the five fields of a crontab
    words: str  # "every day at 02:15"
    period: float  # seconds from one time to the next

    @property
    def spread(self) -> float:
        """Seconds of random delay, so that many machines do not start at once."""
        return min(_MAX_DELAY, self.period / 10)

    @classmethod
    def at(cls, text: str = USUAL) -> Timing:
        """Every day at a time such as `02:15`.

        Raises:
            UsageError: it is not a time of day.
        """
        match = _TIME.fullmatch(text.strip())
        if match is None:
            raise UsageError(f"--at: found {text!r}; allowed: a time of day such as 02:15")
        hour, minute = int(match[1]), int(match[2])
        return cls(
            f"*-*-* {hour:02}:{minute:02}:00",
            f"{minute} {hour} * * *",
            f"every day at {hour:02}:{minute:02}",
            _DAY,
        )

    @classmethod
    def every(cls, text: str) -> Timing:
        """Once in every duration such as `6h`.

        Raises:
            UsageError: it is not a duration, or does not divide an hour or a day.
        """
        try:
            seconds = parse_duration(text)
        except ValueError as error:
            raise UsageError(f"--every: found {text!r}; {error}") from None
        words = f"every {format_duration(seconds)}"
        if seconds == _DAY:
            return cls.at()
        if seconds == _WEEK:
            day = cls.at()
            return cls(
                f"Sun {day.calendar}", f"{day.cron[:-1]}0", f"every Sunday at {USUAL}", _WEEK
            )
        if seconds >= _HOUR and _DAY % seconds == 0 and seconds % _HOUR == 0:
            hours = int(seconds // _HOUR)
            return cls(f"*-*-* 00/{hours}:15:00", f"15 */{hours} * * *", words, seconds)
        if seconds >= 60 and _HOUR % seconds == 0 and seconds % 60 == 0:  # noqa: PLR2004 - a minute
            minutes = int(seconds // 60)
            return cls(f"*-*-* *:00/{minutes}:00", f"*/{minutes} * * * *", words, seconds)
        raise UsageError(f"--every: found {text!r}; allowed: {_ALLOWED}")
