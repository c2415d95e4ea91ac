"""Everything a run needs, opened in order and closed in the reverse: nothing decides here."""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec

from batchscan.alerts.notifier import Notifier
from batchscan.allow.active import ActiveAllowRules
from batchscan.engines.interface import Engine
from batchscan.engines.local import open_engine
from batchscan.images.rules import Rules
from batchscan.ledger import FreshnessPolicy, Ledger, LedgerThread, Prices
from batchscan.model import Outcome
from batchscan.pace import AwakeTime, Clock, RateLimiter
from batchscan.pipeline.api_submitter import ApiSubmitter
from batchscan.pipeline.budget import Budget, CalendarBudget
from batchscan.pipeline.concurrency import ByteSemaphore
from batchscan.pipeline.covering import Renditions
from batchscan.pipeline.decision_recorder import DecisionRecorder
from batchscan.pipeline.dry_run import DryRunSubmitter
from batchscan.pipeline.inputs import open_walks
from batchscan.pipeline.processor import FileProcessor
from batchscan.pipeline.recorder import Recorder
from batchscan.pipeline.renditions import RenditionPlanner
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
from batchscan.state.access import StillLocked, check_marks, hold_state, open_ledger
from batchscan.state.crash_marks import CrashMarks
from batchscan.tally import Tally
from batchscan.walk import Finder


@dataclass(slots=True)
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
    recorder: Recorder
    submitter: Submitter
    processor: FileProcessor
    source: Source
    planner: RenditionPlanner


@dataclass(slots=True)
class Opening:
    """Opens a session step by step."""

    settings: Settings
    clock: Clock
    stop: Shutdown
    outcomes: asyncio.Queue[Outcome | None]
    tally: Tally = field(default_factory=Tally)
    stats: RequestStats = field(default_factory=RequestStats)
    checkpoint: RunCheckpoint = field(init=False)
    allow_rules: ActiveAllowRules = field(init=False)
    notifier: Notifier = field(init=False)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """Open everything; what was opened is closed however the block ends.

        Raises:
            UsageError: settings or paths are wrong.
            LockedError: another run holds the state folder.
            StorageError: state or output cannot be written, or the ledger cannot be used.
        """
        state = state_folder(self.settings)
        settings, clock = self.settings, self.clock
        self.allow_rules = await asyncio.to_thread(ActiveAllowRules.of, settings, clock.wall())
        self.notifier = await asyncio.to_thread(Notifier.of, settings, os.environ, clock)
        async with (
            hold_state(settings, state, self.stop.sleep) as still_locked,
            check_marks(settings, state) as marks,
            open_ledger(settings, state) as ledger,
            AwakeTime(clock.monotonic) as awake,
        ):
            walks = open_walks(settings, state)
            started_at = clock.wall()
            await check_lineage(ledger, settings, state, clock.wall())
            # What a killed run had under way counts against the budgets
            self.checkpoint = await self._close_killed_runs(ledger, started_at)
            gate, budget = await self._limits(ledger, awake)
            engine = await open_engine(
                settings, state / "token.json", clock, awake.seconds, self.stop.raise_if_halted
            )
            self.stop.on_halt(engine.cancel_waits)
            try:
                run_id, folder = await self._begin(ledger, started_at)
                results = await ResultsWriter.create(f"{folder}/{RESULTS}")
                parts = _Parts(
                    self, ledger, gate, budget, engine, results, walks, marks, still_locked
                )
                yield parts.session(run_id, folder, started_at)
            finally:
                await engine.aclose()

    async def _limits(self, ledger: LedgerThread, awake: AwakeTime) -> tuple[RateLimiter, Budget]:
        pace, api = self.settings.pace, self.settings.api
        gate = RateLimiter(pace.rate, pace.headroom, api.retry_for, self.clock, awake=awake.seconds)
        since = self.clock.wall() - gate.longest_window
        sends = await ledger.run(lambda ledger: ledger.rate_limits.sends_since(since))
        learned = await ledger.run(lambda ledger: ledger.rate_limits.learned())
        gate.restore(sends, learned)
        charges = await ledger.run(lambda ledger: ledger.claims.charges())
        price = max(1, Prices(charges).largest or 0)
        self.stop.on_halt(gate.close)
        spend, wall = self.settings.spend, self.clock.wall
        windows = await ledger.run(
            lambda ledger: CalendarBudget.of(
                spend, wall, lambda since, most: ledger.charges.since(since, price, most)
            )
        )
        return gate, Budget(spend, charges, self.clock.monotonic(), windows)

    async def _close_killed_runs(self, ledger: LedgerThread, started_at: float) -> RunCheckpoint:
        """Close killed runs; what is known of this one when it begins."""
        facts = first_checkpoint(self.settings)
        if not self.settings.dry_run:
            await ledger.run(self.notifier.record_events)
            sandbox = self.settings.api.sandbox
            await recover_killed_runs(ledger, self.allow_rules, sandbox=sandbox, now=started_at)
            # Before this run asks again: what they saw may be gone then.
            await ledger.run(self._make_messages)
            untold = await ledger.run(lambda ledger: ledger.runs.unreported(facts.roots))
            return msgspec.structs.replace(facts, news_of=tuple(untold))
        return facts

    def _make_messages(self, ledger: Ledger) -> None:
        self.notifier.make_messages(ledger, self.allow_rules, self.clock.wall())

    async def _begin(self, ledger: LedgerThread, started_at: float) -> tuple[str, str]:
        """Make this run's folder and enter it."""
        settings = self.settings
        output = settings.output.directory
        # Also of another output: an id belongs to one run.
        name, since = run_name(started_at), math.floor(started_at)
        taken = await ledger.run(lambda ledger: ledger.runs.ids_like(name, since))
        run_id, folder = await asyncio.to_thread(make_run_folder, output, started_at, taken)
        facts, allowing = msgspec.json.encode(self.checkpoint), self.allow_rules
        tells = (run_id, *self.checkpoint.news_of)

        def begin(ledger: Ledger) -> None:
            allowing.apply_to(ledger, tells)
            if not settings.dry_run:
                ledger.runs.begin(run_id, folder, started_at, facts)

        await ledger.run(begin)
        if not settings.dry_run:
            await leave_note(ledger, output, run_id, started_at)
            await read_stored_answers(ledger, run_id, sandbox=settings.api.sandbox)
        return run_id, folder


@dataclass(slots=True)
class _Parts:
    """Puts the opened parts together."""

    opening: Opening
    ledger: LedgerThread
    limiter: RateLimiter
    budget: Budget
    engine: Engine
    results: ResultsWriter
    walks: Sequence[Finder]
    marks: CrashMarks | None
    still_locked: StillLocked

    def session(self, run_id: str, folder: str, started_at: float) -> Session:
        opening, settings = self.opening, self.opening.settings
        standing = _standing(settings, run_id, started_at)
        recorder = Recorder(
            run_id,
            sandbox=settings.api.sandbox,
            ledger=None if settings.dry_run else self.ledger,
            tally=opening.tally,
            results=self.results,
            outcomes=opening.outcomes,
        )
        settler = Settler(self.ledger, recorder, opening.stop, folder, sandbox=settings.api.sandbox)
        inquirer = self._submitter(run_id, settler)
        renditions = Renditions(
            settings, standing, self.ledger, self.engine, recorder, opening.tally
        )
        planner = self._planner(run_id, renditions)
        return Session(
            settings=settings,
            run_id=run_id,
            folder=folder,
            started_at=started_at,
            allow_rules=opening.allow_rules,
            notifier=opening.notifier,
            clock=opening.clock,
            stop=opening.stop,
            tally=opening.tally,
            stats=opening.stats,
            ledger=self.ledger,
            engine=self.engine,
            limiter=self.limiter,
            budget=self.budget,
            results=self.results,
            recorder=recorder,
            submitter=inquirer,
            processor=self._processor(standing, recorder, inquirer, renditions),
            source=self._source(standing, recorder, planner),
            planner=planner,
        )

    def _submitter(self, run_id: str, settler: Settler) -> Submitter:
        opening = self.opening
        if opening.settings.dry_run:
            force = opening.settings.force
            return DryRunSubmitter(
                self.ledger, self.budget, opening.tally, opening.clock, force=force
            )
        return ApiSubmitter(
            run_id=run_id,
            settings=opening.settings,
            engine=self.engine,
            ledger=self.ledger,
            limiter=self.limiter,
            budget=self.budget,
            stop=opening.stop,
            clock=opening.clock,
            tally=opening.tally,
            stats=opening.stats,
            settler=settler,
            still_locked=self.still_locked,
        )

    def _processor(
        self,
        standing: FreshnessPolicy,
        recorder: Recorder,
        inquirer: Submitter,
        renditions: Renditions,
    ) -> FileProcessor:
        return FileProcessor(
            settings=self.opening.settings,
            freshness=standing,
            engine=self.engine,
            ledger=self.ledger,
            submitter=inquirer,
            decisions=DecisionRecorder(standing, recorder, self.opening.stop),
            stop=self.opening.stop,
            clock=self.opening.clock,
            marks=self.marks,
            renditions=renditions,
            bytes_in_flight=ByteSemaphore(self.engine.bytes_in_flight),
        )

    def _planner(self, run_id: str, renditions: Renditions) -> RenditionPlanner:
        return RenditionPlanner(
            settings=self.opening.settings,
            run_id=run_id,
            ledger=self.ledger,
            engine=self.engine,
            bytes_in_flight=ByteSemaphore(self.engine.bytes_in_flight),
            stop=self.opening.stop,
            load_answer=renditions.load_answer,
        )

    def _source(
        self, standing: FreshnessPolicy, recorder: Recorder, planner: RenditionPlanner
    ) -> Source:
        return Source(
            settings=self.opening.settings,
            freshness=standing,
            walks=self.walks,
            ledger=self.ledger,
            recorder=recorder,
            stop=self.opening.stop,
            clock=self.opening.clock,
            tally=self.opening.tally,
            checkpoint=self.opening.checkpoint,
            planner=planner,
        )


def _standing(settings: Settings, run_id: str, started_at: float) -> FreshnessPolicy:
    """Which verdicts still hold: with --force no answer of another run."""
    since, matched_since = 0.0, None
    age = settings.scan.rescan_after
    if settings.force:
        since = math.inf
    elif age is not None:
        since = started_at - age
        matched_since = started_at - age / 2 if settings.spend.matched_first else None
    rules = Rules.of(settings.scan, settings.send)
    fingerprints = rules.fingerprint, rules.conversion_fingerprint
    return FreshnessPolicy(
        fingerprints[0],
        run_id,
        since,
        matched_since,
        started_at,
        fingerprints[1],
        covers=settings.scan.renditions == "cover" and not settings.force,
    )
