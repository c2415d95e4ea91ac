"""How the steps of a run are put together: who records for whom, and who shares what."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial

from batchscan.model import Outcome
from batchscan.pipeline.api_submitter import ApiSubmitter
from batchscan.pipeline.covering import RenditionCoverer
from batchscan.pipeline.decision_recorder import DecisionRecorder
from batchscan.pipeline.dry_run import DryRunSubmitter
from batchscan.pipeline.known_answers import Lookup
from batchscan.pipeline.long_answers import LongAnswers
from batchscan.pipeline.processor import FileProcessor
from batchscan.pipeline.recorder import Recorder
from batchscan.pipeline.rendition_confirming import RenditionConfirmer
from batchscan.pipeline.rendition_family import open_planner
from batchscan.pipeline.replies import ReplyHandler
from batchscan.pipeline.session import Session
from batchscan.pipeline.settlement import Settler
from batchscan.pipeline.source import Source
from batchscan.pipeline.submission import Submitter


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The two ends of a run's queue."""

    source: Source  # fills it
    processor: FileProcessor  # decides what comes out


def assemble(session: Session, outcomes: asyncio.Queue[Outcome | None]) -> Pipeline:
    """The steps of a run, which pass each decided file to `outcomes`."""
    settings, clock, stop, run = session.settings, session.clock, session.stop, session.run
    ledger, engine, tally = session.state.ledger, session.service.engine, session.tally
    recorder = Recorder(
        run.id,
        None if settings.dry_run else ledger,
        tally,
        session.results,
        outcomes,
        sandbox=settings.api.sandbox,
    )
    lookup = Lookup(ledger, settings.dry_run, settings.api.sandbox)
    renditions = RenditionCoverer(
        settings,
        run.freshness,
        ledger,
        engine,
        recorder,
        tally,
        lookup,
        RenditionConfirmer(engine, stop, session.state.marks),
    )
    planner = partial(open_planner, settings, run.id, ledger, engine, stop, renditions.find_answer)
    source = Source(
        settings=settings,
        freshness=run.freshness,
        walks=session.walks,
        ledger=ledger,
        recorder=recorder,
        stop=stop,
        clock=clock,
        tally=tally,
        checkpoint=run.checkpoint,
        open_planner=planner,
    )
    return Pipeline(source, _processor(session, recorder, renditions))


def _processor(session: Session, recorder: Recorder, renditions: RenditionCoverer) -> FileProcessor:
    stop, freshness, lookup = session.stop, session.run.freshness, renditions.lookup
    return FileProcessor(
        settings=session.settings,
        freshness=freshness,
        engine=session.service.engine,
        ledger=session.state.ledger,
        submitter=_submitter(session, recorder, lookup.long_answers),
        decisions=DecisionRecorder(freshness, recorder, stop),
        stop=stop,
        clock=session.clock,
        renditions=renditions,
        marks=session.state.marks,
        lookup=lookup,
    )


def _submitter(session: Session, recorder: Recorder, long_answers: LongAnswers) -> Submitter:
    """The submitter that sends pictures; in a dry run one that only counts them."""
    settings, ledger, service = session.settings, session.state.ledger, session.service
    if settings.dry_run:
        return DryRunSubmitter(
            ledger,
            service.budget,
            session.tally,
            session.clock,
            force=settings.force,
            sandbox=settings.api.sandbox,
        )
    long_bodies = LongAnswers()
    settler = Settler(
        ledger,
        recorder,
        session.stop,
        session.run.folder,
        settings.api.sandbox,
        long_answers,
        long_bodies,
    )
    return ApiSubmitter(
        run_id=session.run.id,
        settings=settings,
        service=service,
        state=session.state,
        stop=session.stop,
        clock=session.clock,
        replies=ReplyHandler(settings, service, ledger, session.clock, session.tally, settler),
        long_bodies=long_bodies,
    )
