"""What takes longer than a page: asking other people's sites, which is done slowly on purpose."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from batchscan.errors import BatchscanError, UsageError
from batchscan.review.actions import Done

MAX_RUNNING: Final = 8
MAX_KEPT: Final = 100  # whose ends are remembered


@dataclass(slots=True)
class BackgroundJob:
    """One piece of work under way, and what came of it."""

    what: str  # for people: "Capturing what is on example.com"
    progress: Callable[[], tuple[int, int]] | None = None  # matches that are done, of how many
    result: Done | None = None
    task: asyncio.Task[None] | None = None

    @property
    def done(self) -> tuple[int, int]:
        """Matches that are done, of how many; (0, 0) where that is not known."""
        return self.progress() if self.progress else (0, 0)


Work = Callable[[BackgroundJob], Awaitable[Done]]


class BackgroundJobs:
    """Runs pieces of work, each once at a time, and remembers how the last ones ended."""

    def __init__(self) -> None:
        self._jobs: dict[str, BackgroundJob] = {}

    def get(self, name: str) -> BackgroundJob | None:
        """The last piece of work of a name, under way or done."""
        return self._jobs.get(name)

    def start(self, name: str, what: str, work: Work) -> BackgroundJob:
        """Start a piece of work, unless it is under way; gives it either way.

        Raises:
            UsageError: too much is under way already.
        """
        known = self._jobs.get(name)
        if known is not None and known.result is None:
            return known
        running = sum(job.result is None for job in self._jobs.values())
        if running >= MAX_RUNNING:
            raise UsageError(
                f"{running} things are under way already", advice="wait until one has ended"
            )
        job = BackgroundJob(what)
        self._jobs.pop(name, None)
        self._jobs[name] = job
        job.task = asyncio.create_task(_run(job, work))
        while len(self._jobs) > MAX_KEPT:
            oldest = next(key for key, each in self._jobs.items() if each.result is not None)
            del self._jobs[oldest]
        return job

    async def wait(self, job: BackgroundJob) -> Done:
        """Wait for the end of a piece of work, which goes on when the one who waits goes away."""
        if job.task is not None:
            await asyncio.shield(job.task)
        return job.result or Done("", warning="It was stopped.")

    async def aclose(self) -> None:
        """Stop what is under way: nothing of it was paid for."""
        for job in self._jobs.values():
            if job.task is not None and not job.task.done():
                job.task.cancel()
                with suppress(asyncio.CancelledError):
                    await job.task


async def _run(job: BackgroundJob, work: Work) -> None:
    try:
        job.result = await work(job)
    except BatchscanError as error:
        job.result = Done("", warning=f"{error}. {error.advice or ''}".strip())
    except asyncio.CancelledError:
        job.result = Done("", warning="It was stopped.")
        raise
    except Exception:
        job.result = Done("", warning="It failed: this is a bug in batchscan.")
        raise
