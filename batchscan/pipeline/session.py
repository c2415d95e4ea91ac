"""A session: everything that a run has open, from the lock of its state folder to its results."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from batchscan.alerts.notifier import Notifier
from batchscan.allow.active import ActiveAllowRules
from batchscan.pace import Clock
from batchscan.pipeline.inputs import open_walks
from batchscan.pipeline.service_access import ServiceAccess, open_service
from batchscan.pipeline.shutdown import Shutdown
from batchscan.pipeline.start import StartedRun, begin_run, close_killed_runs
from batchscan.report.run_folder import RESULTS
from batchscan.results_writer import ResultsWriter
from batchscan.runs.lineage import check_lineage
from batchscan.settings import Settings
from batchscan.settings.locations import state_folder
from batchscan.state.access import OpenState, open_state
from batchscan.tally import Tally
from batchscan.walk import Finder


@dataclass(frozen=True, slots=True)
class Session:
    """The state that the steps of one run share; `assemble` makes the steps from it."""

    settings: Settings
    clock: Clock
    stop: Shutdown
    allow_rules: ActiveAllowRules
    notifier: Notifier
    state: OpenState  # locked; with the ledger
    service: ServiceAccess
    walks: Sequence[Finder]  # one for each kind of source
    run: StartedRun
    results: ResultsWriter
    tally: Tally = field(default_factory=Tally)


@asynccontextmanager
async def open_session(settings: Settings, clock: Clock, stop: Shutdown) -> AsyncIterator[Session]:
    """Open what a run needs, and close it in reverse order at the end of the block.

    Args:
        settings: validated settings of the run.
        clock: paces the requests.
        stop: ends the run early.

    Raises:
        UsageError: settings or paths are wrong.
        LockedError: another run holds the state folder.
        StorageError: state or output cannot be written, or the ledger cannot be used.
    """
    folder = state_folder(settings)
    rules = await asyncio.to_thread(ActiveAllowRules.of, settings, clock.wall())
    notifier = await asyncio.to_thread(Notifier.of, settings, os.environ, clock)
    has_targets = bool(notifier.targets)
    async with open_state(settings, folder, stop.sleep, record_events=has_targets) as state:
        walks, started_at, ledger = open_walks(settings, folder), clock.wall(), state.ledger
        await check_lineage(ledger, settings, folder, started_at)
        # Before the budget is opened: open claims of killed runs count against it.
        checkpoint = await close_killed_runs(settings, ledger, rules, notifier, started_at)
        async with open_service(settings, state, clock, stop) as service:
            # The run begins when nothing can be wrong with the settings any more.
            run = await begin_run(settings, ledger, rules, checkpoint, started_at)
            results = await ResultsWriter.create(f"{run.folder}/{RESULTS}")
            yield Session(
                settings, clock, stop, rules, notifier, state, service, walks, run, results
            )
