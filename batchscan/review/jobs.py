"""Background jobs: requests to other people's sites, which are slow on purpose."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from batchscan.errors import BatchscanError, UsageError
from batchscan.review.actions import ActionResult

MAX_RUNNING: Final = 8
MAX_KEPT: Final = 100  # finished jobs whose results are kept


@dataclass(slots=True)
class BackgroundJob:
    """A job, running or done, and its result."""

    what: str  # for people: "Capturing what is on example.com"
    progress: Callable[[], tuple[int, int]] | None = None  # matches that are done, of how many
    result: ActionResult | None = None
    task: asyncio.Task[None] | None = None

    @property
    def done(self) -> tuple[int, int]:
        """Matches that are done, and their total; (0, 0) if that is not known."""
        return self.progress() if self.progress else (0, 0)


Work = Callable[[BackgroundJob], Awaitable[ActionResult]]


class BackgroundJobs:
    """Runs jobs, each name once at a time, and keeps the last results."""

    def __init__(self) -> None:
        self._jobs: dict[str, BackgroundJob] = {}

    def get(self, name: str) -> BackgroundJob | None:
        """The last job with a name, running or done."""
        return self._jobs.get(name)

    def start(self, name: str, what: str, work: Work) -> BackgroundJob:
        """Start a job unless it is running; returns the job.

        Raises:
            UsageError: too many jobs are running.
        """
        existing = self._jobs.get(name)
        if existing is not None and existing.result is None:
            return existing
        running = sum(job.result is None for job in self._jobs.values())
        if running >= MAX_RUNNING:
            raise UsageError(
                f"{running} tasks are running already", advice="wait until one of them has finished"
            )
        job = BackgroundJob(what)
        self._jobs.pop(name, None)
        self._jobs[name] = job
        job.task = asyncio.create_task(_run(job, work))
        while len(self._jobs) > MAX_KEPT:
            oldest = next(
                key for key, candidate in self._jobs.items() if candidate.result is not None
            )
            del self._jobs[oldest]
        return job

    async def wait(self, job: BackgroundJob) -> ActionResult:
        """Wait for a job, which goes on if the caller is cancelled."""
        if job.task is not None:
            await asyncio.shield(job.task)
        return job.result or ActionResult("", warning="It was stopped.")

    async def aclose(self) -> None:
        """Cancel running jobs, none of which costs credits."""
        for job in self._jobs.values():
            if job.task is not None and not job.task.done():
                job.task.cancel()
                with suppress(asyncio.CancelledError):
                    await job.task


async def _run(job: BackgroundJob, work: Work) -> None:
    try:
        job.result = await work(job)
    except BatchscanError as error:
        job.result = ActionResult("", warning=f"{error}. {error.advice or ''}".strip())
    except asyncio.CancelledError:
        job.result = ActionResult("", warning="It was stopped.")
        raise
    except Exception:
        job.result = ActionResult("", warning="It failed: this is a bug in batchscan.")
        raise
