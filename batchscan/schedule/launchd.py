"""A scheduled scan as a property list for launchd, the scheduler of macOS."""

from __future__ import annotations

import os
import plistlib
import re

from batchscan.errors import UsageError
from batchscan.schedule.job import Job, Timing
from batchscan.settings.credentials import KEY_FILE
from batchscan.util.escaping import printable

AGENTS = "~/Library/LaunchAgents"
_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")  # what a property list cannot hold


def launch_agent(job: Job) -> bytes:
    """The property list of an agent, which runs as the user who loads it.

    Raises:
        UsageError: a path cannot be written in a property list.
    """
    environment = dict(job.environment)
    if job.key_file is not None:
        environment[KEY_FILE] = job.key_file
    words = [*job.program, *job.words]
    for word in (*words, *environment.values()):
        if _UNWRITABLE.search(word):
            raise UsageError(
                f"'{printable(word)}' cannot be in a property list", advice="rename it"
            )
    log = os.path.expanduser(f"~/Library/Logs/{job.name}.log")
    content: dict[str, object] = {
        "Label": job.name,
        "ProgramArguments": words,
        "EnvironmentVariables": environment,
        **_times(job.timing),
        "ProcessType": "Background",
        # What is under way is paid for: let it finish
        "ExitTimeOut": round(job.patience),
        "StandardOutPath": log,
        "StandardErrorPath": log,
    }
    return plistlib.dumps(content, sort_keys=False)


def _times(timing: Timing) -> dict[str, object]:
    minute, hour, *_, weekday = timing.cron.split()
    if not (minute.isdecimal() and hour.isdecimal()):
        return {"StartInterval": round(timing.period)}
    times = {"Hour": int(hour), "Minute": int(minute)}
    if weekday.isdecimal():
        times["Weekday"] = int(weekday)
    return {"StartCalendarInterval": times}
