"""The start of a run: recover killed runs, create the run's folder, enter it into the ledger."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass

import msgspec

from batchscan.alerts.notifier import Notifier
from batchscan.allow.active import ActiveAllowRules
from batchscan.images.rules import Rules
from batchscan.ledger import FreshnessPolicy, Ledger, LedgerThread
from batchscan.report.run_folder import make_run_folder, run_name
from batchscan.runs.checkpoint import RunCheckpoint, first_checkpoint
from batchscan.runs.lineage import leave_note
from batchscan.runs.recovery import recover_killed_runs
from batchscan.runs.unread_answers import read_stored_answers
from batchscan.settings import Settings


@dataclass(frozen=True, slots=True)
class StartedRun:
    """A run that is in the ledger and has a folder; a dry run has the folder only."""

    id: str
    folder: str
    started_at: float  # seconds since 1970
    checkpoint: RunCheckpoint  # at the start
    freshness: FreshnessPolicy  # which verdicts and answers of earlier runs hold

    @property
    def news_of(self) -> tuple[str, ...]:
        """The runs whose matches count as new: this one, and killed ones without a report."""
        return (self.id, *self.checkpoint.news_of)


async def close_killed_runs(
    settings: Settings,
    ledger: LedgerThread,
    allow_rules: ActiveAllowRules,
    notifier: Notifier,
    started_at: float,
) -> RunCheckpoint:
    """Recover killed runs; returns the first checkpoint of the run that starts at `started_at`.

    Raises:
        StorageError: the ledger or a report cannot be written.
    """
    checkpoint = first_checkpoint(settings)
    if settings.dry_run:
        return checkpoint
    sandbox = settings.api.sandbox
    await recover_killed_runs(ledger, allow_rules, sandbox=sandbox, now=started_at)
    # Before this run sends anything: its answers may mark the matches of killed runs as gone.
    await ledger.run(lambda ledger: notifier.make_messages(ledger, allow_rules, started_at))
    unreported = await ledger.run(lambda ledger: ledger.runs.unreported(checkpoint.roots))
    return msgspec.structs.replace(checkpoint, news_of=tuple(unreported))


async def begin_run(
    settings: Settings,
    ledger: LedgerThread,
    allow_rules: ActiveAllowRules,
    checkpoint: RunCheckpoint,
    started_at: float,
) -> StartedRun:
    """Create the run's folder and enter the run into the ledger.

    Raises:
        StorageError: the folder or the ledger cannot be written.
    """
    output = settings.output.directory
    # Ids are unique, also among runs with other output folders.
    name, since = run_name(started_at), math.floor(started_at)
    used_ids = await ledger.run(lambda ledger: ledger.runs.ids_like(name, since))
    run_id, folder = await asyncio.to_thread(make_run_folder, output, started_at, used_ids)
    freshness = _freshness(settings, run_id, started_at)
    run = StartedRun(run_id, folder, started_at, checkpoint, freshness)

    def begin(ledger: Ledger) -> None:
        ledger.history.own = allow_rules.perspective(run.news_of)
        if not settings.dry_run:
            ledger.runs.begin(run_id, folder, started_at, msgspec.json.encode(checkpoint))

    await ledger.run(begin)
    if not settings.dry_run:
        await leave_note(ledger, output, run_id, started_at)
        await read_stored_answers(ledger, run_id, sandbox=settings.api.sandbox)
    return run


def _freshness(settings: Settings, run_id: str, started_at: float) -> FreshnessPolicy:
    """Which verdicts still hold; with --force no answers of other runs."""
    since, matched_since = 0.0, None
    age = settings.scan.rescan_after
    if settings.force:
        since = math.inf
    elif age is not None:
        since = started_at - age
        matched_since = started_at - age / 2 if settings.spend.matched_first else None
    rules = Rules.of(settings.scan, settings.send)
    return FreshnessPolicy(
        rules.fingerprint,
        run_id,
        since,
        matched_since,
        started_at,
        rules.conversion_fingerprint,
        covers=settings.scan.renditions == "cover" and not settings.force,
    )
