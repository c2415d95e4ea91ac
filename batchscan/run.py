"""The run. Read this first.

    walk ──► ledger: known? ──► queue (bounded) ──► worker × N ──► outcome ──► recorded, yielded
             unchanged files                        │
             never enter the queue                  inspect ► reserve ► pace ► claim ► upload ► settle

`Source` is the left half, `FileProcessor.process` is what a worker does with one file, and
`ApiSubmitter` is its paid part. A problem with one file becomes that file's outcome. An error that
must end the run is raised, caught in the worker's loop and passed to `Shutdown` as the run's reason
to stop: nothing new starts, uploads under way settle, and only then does the run end. No exception
reaches the task group: it would cancel the other workers, and with them requests that are paid for.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Self, TypeAlias

from batchscan.engines.local import check_proxies
from batchscan.enums import Status
from batchscan.errors import BatchscanError, Interrupted, OutOfMemory, StopRun
from batchscan.model import Candidate, Outcome
from batchscan.pace import Clock, SystemClock
from batchscan.pipeline.assembly import Pipeline, assemble
from batchscan.pipeline.finish import finish
from batchscan.pipeline.inputs import open_stores
from batchscan.pipeline.rendition_family import Member
from batchscan.pipeline.session import Session, open_session
from batchscan.pipeline.shutdown import Shutdown
from batchscan.progress import ProgressState
from batchscan.report.schema import Report
from batchscan.settings import Settings
from batchscan.settings.credentials import require_credentials, with_key
from batchscan.settings.load import validate
from batchscan.settings.locations import state_folder
from batchscan.walk import check_roots

log = logging.getLogger(__name__)

WorkQueue: TypeAlias = "asyncio.Queue[Candidate | Member | None]"  # None ends a worker


def scan(settings: Settings) -> Scan:
    """Scan pictures: iterate over the outcomes, then read the report.

        async with batchscan.scan(Settings(roots=("./images",), ...)) as run:
            async for outcome in run:
                ...
        run.report.matches.total

    Raises (when entered):
        UsageError: settings, credentials or paths are wrong; nothing was sent.
        LockedError: another run holds the state folder.
        StorageError: state or output cannot be written.
        Interrupted: a signal came before the run began.
    """
    return Scan(settings)


class Scan:
    """One run. Leaving the block early stops it, after the requests under way have settled."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self._clock = clock or SystemClock()
        self._stop = Shutdown(self._clock)
        self._outcomes: asyncio.Queue[Outcome | None] = asyncio.Queue(settings.pace.concurrency)
        self._resources = AsyncExitStack()
        self._session: Session | None = None
        self._pipeline: Pipeline | None = None
        self._running: asyncio.Task[None] | None = None
        self._report: Report | None = None

    @property
    def report(self) -> Report:
        """The report of the run.

        Raises:
            RuntimeError: the run has not ended yet.
        """
        if self._report is None:
            raise RuntimeError("the report exists when the scan has ended")
        return self._report

    @property
    def exit_code(self) -> int:
        """The exit code of the command line."""
        return self.report.run.exit_code or 0

    @property
    def error(self) -> BatchscanError | None:
        """The error that ended the run early, if any."""
        return self._stop.reason

    @property
    def folder(self) -> str:
        """The folder with the run's files."""
        assert self._session is not None  # noqa: S101 - set when entered
        return self._session.run.folder

    def request_stop(self, signum: int) -> None:
        """Start nothing new, finish what is under way; `signum` becomes the exit code."""
        self._stop.request(Interrupted(signum))

    def progress(self) -> ProgressState:
        """How far the run is."""
        if self._session is None or self._pipeline is None:
            return ProgressState()
        tally, source = self._session.tally, self._pipeline.source
        stats, limiter = self._session.service.stats, self._session.service.limiter
        return ProgressState(
            found=source.found,
            walk_ended=source.ended,
            done=tally.seen - tally.put_off,
            unchanged=tally.statuses[Status.UNCHANGED],
            sent=stats.requests,
            sent_bytes=stats.bytes_sent,
            interval=limiter.interval,
            matches=tally.matches_found,
            credits=tally.charged,
            max_credits=self.settings.spend.max_credits,
            waiting=limiter.waiting,
        )

    async def __aenter__(self) -> Self:
        validate(self.settings)
        if not self.settings.dry_run:
            self.settings = with_key(self.settings, os.environ)
            require_credentials(self.settings)
            check_proxies(self.settings)
        never = (self.settings.output.directory, str(state_folder(self.settings)))
        try:
            await self._resources.enter_async_context(open_stores())
            await asyncio.to_thread(check_roots, self.settings.roots, never)
            await self._wait_a_while()
            opening = open_session(self.settings, self._clock, self._stop)
            self._session = await self._resources.enter_async_context(opening)
            self._pipeline = assemble(self._session, self._outcomes)
        except BaseException:
            await self._resources.aclose()
            raise
        self._running = asyncio.create_task(self._run(self._session, self._pipeline))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._running is not None  # noqa: S101 - set when entered
        try:
            if not self._running.done():
                self._stop.request(Interrupted())
            async for _ in self:
                pass
            await asyncio.shield(self._running)
        finally:
            await self._resources.aclose()
        if self._stop.bug is not None and error is None:
            raise self._stop.bug

    async def __aiter__(self) -> AsyncIterator[Outcome]:
        if self._running is None:
            async with self:
                async for outcome in self:
                    yield outcome
            return
        while not (self._running.done() and self._outcomes.empty()):
            decided = await self._outcomes.get()
            if decided is None:
                return
            yield decided
            del decided  # it may hold very many matches; free it while waiting for the next one

    async def _wait_a_while(self) -> None:
        """Wait a random time of at most `--jitter` seconds, before anything is locked.

        Raises:
            Interrupted: a signal came meanwhile.
        """
        if self.settings.dry_run or not self.settings.scan.jitter:
            return
        pause = random.uniform(0, self.settings.scan.jitter)  # noqa: S311 - no secret
        log.info("waiting %.1f s before the start (--jitter)", pause)
        await self._stop.sleep(pause)

    async def _run(self, session: Session, pipeline: Pipeline) -> None:
        queue: WorkQueue = asyncio.Queue(self.settings.pace.concurrency)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._feed(session, pipeline, queue))
                for _ in range(self.settings.pace.concurrency):
                    group.create_task(self._work(session, pipeline, queue))
            await self._count_renditions(session, pipeline)
            self._report = await finish(session, pipeline.processor.decisions)
        finally:
            await self._outcomes.put(None)

    async def _feed(self, session: Session, pipeline: Pipeline, queue: WorkQueue) -> None:
        async with self._stops_for_errors(session):
            await pipeline.source.feed(queue)
        for _ in range(self.settings.pace.concurrency):
            await queue.put(None)

    async def _work(self, session: Session, pipeline: Pipeline, queue: WorkQueue) -> None:
        while (work := await queue.get()) is not None:
            async with self._stops_for_errors(session):
                if isinstance(work, Member):
                    await pipeline.processor.process_member(work)
                else:
                    await pipeline.processor.process(work)
            queue.task_done()

    async def _count_renditions(self, session: Session, pipeline: Pipeline) -> None:
        """Count the credits that `--renditions cover` would have saved."""
        if self._stop or not pipeline.processor.renditions.counts:
            return
        async with self._stops_for_errors(session):
            noted = await session.state.ledger.run(lambda ledger: ledger.renditions.files.any())
            saved = await pipeline.source.open_planner().count() if noted else (0, 0)
            session.tally.renditions, session.tally.renditions_credits = saved

    @asynccontextmanager
    async def _stops_for_errors(self, session: Session) -> AsyncIterator[None]:
        """Make an error in the block the run's reason to stop; all that is paid for settles."""
        try:
            yield
        except StopRun as reason:
            self._stop.request(reason)
        except Exception as error:  # noqa: BLE001 - a bug is raised again at the end
            await self._stop_after(session, error)

    async def _stop_after(self, session: Session, error: Exception) -> None:
        """Stop after an unexpected error: out of memory, a damaged ledger, or a bug."""
        lacking = OutOfMemory.behind(error)
        if lacking is not None:
            self._stop.request(lacking)
            return
        try:
            explained = await session.state.ledger.run(lambda ledger: ledger.explained(error))
        except StopRun as reason:
            explained = reason
        if isinstance(explained, StopRun):
            self._stop.request(explained)
        else:
            self._stop.request_for_bug(error)
