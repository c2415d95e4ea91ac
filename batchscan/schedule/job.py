"""A scheduled scan: everything that units and crontab lines are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from batchscan.schedule.timing import Timing


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One scan that comes again and again; paths are absolute."""

    name: str
    timing: Timing
    program: tuple[str, ...]  # the executable first
    words: tuple[str, ...]  # the scan's own
    environment: Mapping[str, str]  # nothing secret
    secrets: tuple[str, ...]  # the names of variables that hold some
    key_file: str | None  # that holds the API key; None where none need be named
    pictures: tuple[str, ...]  # only read
    writes: tuple[str, ...]  # folders, beside the one that systemd makes
    uses: tuple[str, ...]  # every path that must be there: Python's own, settings, all above
    user: str | None  # None: root
    skips: bool  # whether it gives way without a word to a run that is on
    patience: float  # seconds that what is under way may take to end
