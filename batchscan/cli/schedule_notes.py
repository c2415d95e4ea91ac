"""Notes of `batchscan schedule` about what is missing or surprising."""

from __future__ import annotations

import os
from collections.abc import Iterator

from batchscan.cli.scheduled_scan import ScheduledScan
from batchscan.schedule import Job, crontab_line
from batchscan.schedule.cron import MAX_LENGTH
from batchscan.schedule.systemd import SECRETS


def notes(scheduled: ScheduledScan, job: Job, *, launchd: bool) -> Iterator[str]:
    """The notes, one line each."""
    yield from _account(scheduled, job)
    yield from _folders(scheduled, job)
    yield from _elsewhere(scheduled, job, launchd=launchd)
    if scheduled.settings.force:
        yield "--force sends every picture again each time, and pays for it"
    if not (scheduled.wish.systemd or launchd) and len(line := crontab_line(job)) > MAX_LENGTH:
        yield (
            f"the line has {len(line):,} characters, and some versions of cron allow only "
            f"{MAX_LENGTH}: move options into a settings file (-c)"
        )


def _account(scheduled: ScheduledScan, job: Job) -> Iterator[str]:
    if scheduled.settings.dry_run:
        return
    if scheduled.settings.account.email is None:
        yield "no e-mail address is set: set account.email, or COPYLEAKS_EMAIL now"
    if job.key_file is not None and not os.path.exists(job.key_file):
        reader = "root" if scheduled.wish.systemd else "you"
        yield f"the API key is read from {job.key_file}: put it there, readable by {reader} only (chmod 600)"


def _folders(scheduled: ScheduledScan, job: Job) -> Iterator[str]:
    if scheduled.kept_state is not None and scheduled.wish.systemd:
        yield f"it uses the ledger with your paid answers, in {scheduled.kept_state}"
    if scheduled.wish.systemd:
        for folder in job.writes:
            if not os.path.isdir(folder):
                yield f"create {folder} first: the rest of the disk is read-only for the service"


def _elsewhere(scheduled: ScheduledScan, job: Job, *, launchd: bool) -> Iterator[str]:
    """Settings that work differently in a service than in this terminal."""
    names = ", ".join(job.secrets)
    if names and scheduled.wish.systemd:
        yield f"{names}: set it in {SECRETS} as NAME=value, readable by root only (chmod 600)"
    elif names and launchd:
        yield f"{names}: launchd has no private place for secrets; use files that only you can read"
    elif names:
        yield f"{names}: set it at the top of the crontab as NAME=value; only you can read that"
    if scheduled.settings.alerts.on_new and scheduled.wish.systemd:
        yield "the command of alerts.on_new runs inside the service, with the same restrictions"
