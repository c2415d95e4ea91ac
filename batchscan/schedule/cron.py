"""A scheduled scan as a line of a crontab."""

from __future__ import annotations

from batchscan.schedule.job import Job
from batchscan.schedule.quoting import cron_word
from batchscan.settings.credentials import KEY_FILE

MAX_LENGTH = 998  # characters of a command that every cron takes


def crontab_line(job: Job) -> str:
    """The line, without a line feed.

    Raises:
        UsageError: a path or pattern cannot be written in one.
    """
    given = dict(job.environment)
    if job.key_file is not None:
        given[KEY_FILE] = job.key_file
    assigned = [f"{name}={cron_word(value)}" for name, value in given.items()]
    words = [cron_word(word) for word in (*job.program, *job.words)]
    return " ".join([job.timing.cron, *assigned, *words])
