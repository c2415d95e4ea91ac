"""The composition root of a run: its parts are opened in order and closed in reverse order."""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import msgspec

from batchscan.alerts.notifier import Notifier
from batchscan.allow.active import ActiveAllowRules
from batchscan.engines.interface import Engine
from batchscan.engines.local import open_engine
from batchscan.images.rules import Rules
from batchscan.ledger import FreshnessPolicy, Ledger, LedgerThread, Prices
from batchscan.model import Outcome
from batchscan.pace import AwakeClock, Clock, RateLimiter
from batchscan.pipeline.api_submitter import ApiSubmitter
from batchscan.pipeline.budget import Budget, CalendarBudget
from batchscan.pipeline.covering import RenditionCoverer
from batchscan.pipeline.decision_recorder import DecisionRecorder
from batchscan.pipeline.dry_run import DryRunSubmitter
from batchscan.pipeline.inputs import open_walks
from batchscan.pipeline.known_answers import Lookup
from batchscan.pipeline.long_answers import LongAnswers
from batchscan.pipeline.processor import FileProcessor
from batchscan.pipeline.recorder import Recorder
from batchscan.pipeline.rendition_family import OpenPlanner, open_planner
from batchscan.pipeline.request_stats import RequestStats
from batchscan.pipeline.settlement import Settler
from batchscan.pipeline.shutdown import Shutdown
from batchscan.pipeline.source import Source
from batchscan.pipeline.submission import Submitter
from batchscan.report.run_folder import RESULTS, make_run_folder, run_name
from batchscan.results import ResultsWriter
from batchscan.runs.checkpoint import RunCheckpoint, first_checkpoint
from batchscan.runs.lineage import check_lineage, leave_note
from batchscan.runs.recovery import recover_killed_runs
from batchscan.runs.unread_answers import read_stored_answers
from batchscan.settings import Settings
from batchscan.settings.locations import state_folder
from batchscan.state.access import check_marks, hold_state, open_ledger
from batchscan.tally import Tally


@dataclass(frozen=True, slots=True)
class Session:
    """The parts of one run."""

    settings: Settings
    run_id: str
    folder: str
    started_at: float  # seconds since 1970
    allow_rules: ActiveAllowRules
    notifier: Notifier
    clock: Clock
    stop: Shutdown
    tally: Tally
    stats: RequestStats
    ledger: LedgerThread
    engine: Engine
    limiter: RateLimiter
    budget: Budget
    results: ResultsWriter
    decisions: DecisionRecorder
    processor: FileProcessor
    source: Source
    open_planner: OpenPlanner

    @property
    def rendition_price(self) -> int:
        """Credits that sending one version of a picture is expected to cost."""
        return 0 if self.settings.api.sandbox else self.budget.price


@asynccontextmanager
async def open_session(  # noqa: PLR0915 - the one place where a run is put together
    settings: Settings, clock: Clock, stop: Shutdown, outcomes: asyncio.Queue[Outcome | None]
) -> AsyncIterator[Session]:
    """Open the parts of a run, and close them at the end of the block.

    Args:
        settings: validated settings of the run.
        clock: paces the requests.
        stop: ends the run early.
        outcomes: receives each decided file.

    Raises:
        UsageError: settings or paths are wrong.
        LockedError: another run holds the state folder.
        StorageError: state or output cannot be written, or the ledger cannot be used.
    """
    state = state_folder(settings)
    allow_rules = await asyncio.to_thread(ActiveAllowRules.of, settings, clock.wall())
    notifier = await asyncio.to_thread(Notifier.of, settings, os.environ, clock)
    async with (
        hold_state(settings, state, stop.sleep) as still_locked,
        check_marks(settings, state) as marks,
        open_ledger(settings, state, record_events=bool(notifier.targets)) as ledger,
        AwakeClock(clock.monotonic) as awake,
    ):
        walks, started_at = open_walks(settings, state), clock.wall()
        await check_lineage(ledger, settings, state, started_at)
        # Recover killed runs before opening budgets: their open claims count against them.
        checkpoint = await _close_killed_runs(settings, ledger, allow_rules, notifier, started_at)
        limiter = await _open_limiter(settings, ledger, clock, awake)
        budget = await _open_budget(settings, ledger, clock)
        stop.on_halt(limiter.close)
        engine = await open_engine(
            settings, state / "token.json", clock, awake.seconds, stop.raise_if_halted
        )
        stop.on_halt(engine.cancel_waits)
        async with aclosing(engine):
            run_id, folder = await _begin_run(settings, ledger, allow_rules, checkpoint, started_at)
            results = await ResultsWriter.create(f"{folder}/{RESULTS}")

            tally, stats = Tally(), RequestStats()
            freshness = _freshness(settings, run_id, started_at)
            kept_in = None if settings.dry_run else ledger
            sandbox = settings.api.sandbox
            recorder = Recorder(run_id, kept_in, tally, results, outcomes, sandbox=sandbox)
            decisions = DecisionRecorder(freshness, recorder, stop)
            long_answers = LongAnswers()
            submitter: Submitter
            if settings.dry_run:
                submitter = DryRunSubmitter(ledger, budget, tally, clock, force=settings.force)
            else:
                settler = Settler(ledger, recorder, stop, folder, sandbox, long_answers)
                submitter = ApiSubmitter(
                    run_id=run_id,
                    settings=settings,
                    engine=engine,
                    ledger=ledger,
                    limiter=limiter,
                    budget=budget,
                    stop=stop,
                    clock=clock,
                    tally=tally,
                    stats=stats,
                    settler=settler,
                    still_locked=still_locked,
                )
            renditions = RenditionCoverer(settings, freshness, ledger, engine, recorder, tally)
            planning = partial(
                open_planner, settings, run_id, ledger, engine, stop, renditions.load_answer
            )
            processor = FileProcessor(
                settings,
                freshness,
                engine,
                ledger,
                submitter,
                decisions,
                stop,
                clock,
                renditions,
                marks,
                Lookup(ledger, long_answers, settings.dry_run),
            )
            source = Source(
                settings,
                freshness,
                walks,
                ledger,
                recorder,
                stop,
                clock,
                tally,
                checkpoint,
                planning,
            )
            yield Session(
                settings=settings,
                run_id=run_id,
                folder=folder,
                started_at=started_at,
                allow_rules=allow_rules,
                notifier=notifier,
                clock=clock,
                stop=stop,
                tally=tally,
                stats=stats,
                ledger=ledger,
                engine=engine,
                limiter=limiter,
                budget=budget,
                results=results,
                decisions=decisions,
                processor=processor,
                source=source,
                open_planner=planning,
            )


async def _open_limiter(
    settings: Settings, ledger: LedgerThread, clock: Clock, awake: AwakeClock
) -> RateLimiter:
    """The rate limiter with the recent requests and the learned rate of earlier runs."""
    pace, retry_for = settings.pace, settings.api.retry_for
    limiter = RateLimiter(pace.rate, pace.headroom, retry_for, clock, awake=awake.seconds)
    since = clock.wall() - limiter.longest_window
    sends = await ledger.run(lambda ledger: ledger.rate_limits.sends_since(since))
    learned = await ledger.run(lambda ledger: ledger.rate_limits.learned())
    limiter.restore(sends, learned)
    return limiter


async def _open_budget(settings: Settings, ledger: LedgerThread, clock: Clock) -> Budget:
    """The run's budget, with what was spent today and this month."""
    charges = await ledger.run(lambda ledger: ledger.claims.charges())
    price = max(1, Prices(charges).largest or 0)
    windows = await ledger.run(
        lambda ledger: CalendarBudget.of(
            settings.spend,
            clock.wall,
            lambda since, most: ledger.charges.since(since, price, most),
        )
    )
    return Budget(settings.spend, charges, clock.monotonic(), windows)


async def _close_killed_runs(
    settings: Settings,
    ledger: LedgerThread,
    allow_rules: ActiveAllowRules,
    notifier: Notifier,
    started_at: float,
) -> RunCheckpoint:
    """Recover killed runs; returns the first checkpoint of this run."""
    checkpoint = first_checkpoint(settings)
    if settings.dry_run:
        return checkpoint
    sandbox = settings.api.sandbox
    await recover_killed_runs(ledger, allow_rules, sandbox=sandbox, now=started_at)
    # Before this run sends anything: its answers may mark the matches of killed runs as gone.
    await ledger.run(lambda ledger: notifier.make_messages(ledger, allow_rules, started_at))
    unreported = await ledger.run(lambda ledger: ledger.runs.unreported(checkpoint.roots))
    return msgspec.structs.replace(checkpoint, news_of=tuple(unreported))


async def _begin_run(
    settings: Settings,
    ledger: LedgerThread,
    allow_rules: ActiveAllowRules,
    checkpoint: RunCheckpoint,
    started_at: float,
) -> tuple[str, str]:
    """Create the run's folder and enter the run into the ledger; returns its id and folder."""
    output = settings.output.directory
    # Ids are unique, also among runs with other output folders.
    name, since = run_name(started_at), math.floor(started_at)
    taken = await ledger.run(lambda ledger: ledger.runs.ids_like(name, since))
    run_id, folder = await asyncio.to_thread(make_run_folder, output, started_at, taken)
    encoded = msgspec.json.encode(checkpoint)

    def begin(ledger: Ledger) -> None:
        ledger.history.own = allow_rules.perspective((run_id, *checkpoint.news_of))
        if not settings.dry_run:
            ledger.runs.begin(run_id, folder, started_at, encoded)

    await ledger.run(begin)
    if not settings.dry_run:
        await leave_note(ledger, output, run_id, started_at)
        await read_stored_answers(ledger, run_id, sandbox=settings.api.sandbox)
    return run_id, folder


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
