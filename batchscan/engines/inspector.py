"""Inspecting files and making previews in threads; used by the driver and by workers."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar

from batchscan.enums import FailReason
from batchscan.images.comparing import Content, PixelComparer
from batchscan.images.decoded import DecodedCache
from batchscan.images.decoding.pool import Decoders
from batchscan.images.judge import Judge
from batchscan.images.preview import Preview, PreviewMaker
from batchscan.images.read import inspect
from batchscan.images.rules import Rules
from batchscan.images.sending import make_sendable
from batchscan.model import Candidate, Image, NotSendable
from batchscan.settings import Settings
from batchscan.util.weighted_semaphore import WeightedSemaphore


class Inspector:
    """A thread pool, a judge and a preview maker, with a common bound on decoded pixels."""

    def __init__(self, settings: Settings, threads: int) -> None:
        """Use at most `threads`; threads and child processes are started when needed."""
        self._follow = settings.scan.follow_symlinks
        self._rules = Rules.of(settings.scan, settings.send)
        pixels = WeightedSemaphore(self._rules.max_pixels)
        self._decoders = Decoders(pixels=pixels)
        decoded = DecodedCache()
        self._judge = Judge(self._rules, self._decoders, pixels, decoded)
        self._preview_maker = PreviewMaker(pixels, self._decoders, self._rules.max_pixels, decoded)
        self._comparer = PixelComparer(self._judge, self._rules, pixels, follow=self._follow)
        self._crew = ThreadPool(threads, "inspect")

    async def inspect(self, candidate: Candidate) -> Image | NotSendable:
        """Read, hash and judge one file, in one hop to a thread."""

        def work() -> Image | NotSendable:
            return inspect(candidate, self._judge, self._rules, follow=self._follow)

        return await self._crew.run(work)

    async def make_sendable(self, image: Image, candidate: Candidate) -> Image | NotSendable:
        """Make what is sent for a picture: stripped, converted, or the file as it is."""
        if image.ready:
            return image

        def work() -> Image | NotSendable:
            if image.data:
                return make_sendable(image, self._decoders, self._rules)
            return self._read_again(image, candidate)

        return await self._crew.run(work)

    def _read_again(self, image: Image, candidate: Candidate) -> Image | NotSendable:
        """Read a file again; its content must be the same as before."""
        result = inspect(candidate, self._judge, self._rules, follow=self._follow, convert=True)
        if isinstance(result, NotSendable):
            return result
        if result.sha256 == image.sha256:
            ready = result.ready
            return result if ready else make_sendable(result, self._decoders, self._rules)
        detail = "the file changed between two readings"
        return NotSendable(image.path, result.stat, FailReason.CHANGED_WHILE_READING, detail)

    async def make_preview(self, image: Image) -> Preview:
        """Make a thumbnail of a picture, and read its provenance; never raises."""
        return await self._crew.run(partial(self._preview_maker.make_preview, image))

    async def deviation(self, one: Content, other: Content) -> float:
        """How far two files are from being versions of one picture; up to 1 they are."""
        return await self._crew.run(partial(self._comparer.deviation, one, other))

    async def aclose(self) -> None:
        """End threads and child processes."""
        await asyncio.to_thread(self._crew.close)
        await asyncio.to_thread(self._decoders.close)


T = TypeVar("T")


class _ThreadJob(NamedTuple):
    work: Callable[[], Any]
    future: asyncio.Future[Any]


class ThreadPool:
    """Threads for the jobs of one event loop, ended by `close`.

    The queue holds at most one job for each task that awaits one.
    """

    def __init__(self, size: int, name: str) -> None:
        """Start threads with the first job."""
        self._size = size
        self._name = name
        self._jobs: SimpleQueue[_ThreadJob | None] = SimpleQueue()
        self._done: deque[Callable[[], None]] = deque()
        self._notified = False  # whether a wake-up of the loop is scheduled
        self._threads: list[threading.Thread] = []

    async def run(self, work: Callable[[], T]) -> T:
        """Run `work` in one of the threads; returns its result or raises its exception."""
        loop = asyncio.get_running_loop()
        if not self._threads:
            self._start(loop)
        future: asyncio.Future[T] = loop.create_future()
        self._jobs.put(_ThreadJob(work, future))
        return await future

    def close(self) -> None:
        """End the threads; blocks until their running jobs are done."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        for number in range(self._size):
            name = f"{self._name}_{number}"
            # A daemon, so that a second signal ends the process even while decoding.
            thread = threading.Thread(target=self._work, args=(loop,), name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        while (job := self._jobs.get()) is not None:
            self._done.append(_finished(job))
            del job  # frees the picture before waiting for the next job
            if self._notified:
                continue
            self._notified = True
            try:
                loop.call_soon_threadsafe(self._hand_over)
            except RuntimeError:  # the loop is closed
                return

    def _hand_over(self) -> None:
        self._notified = False  # first: jobs finished from here on need another wake-up
        while self._done:
            self._done.popleft()()


def _finished(job: _ThreadJob) -> Callable[[], None]:
    """Run a job; returns a function that completes its future on the loop."""
    work, future = job
    try:
        value = work()
    except Exception as error:  # noqa: BLE001 - raised in the awaiting task
        raised = error
        return lambda: None if future.cancelled() else future.set_exception(raised)
    return lambda: None if future.cancelled() else future.set_result(value)
