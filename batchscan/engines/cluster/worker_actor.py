"""The Dask Actor on a worker: it holds the judge, the connections and the bytes of pictures.

`submit_batch` gives it tasks and `poll_events` collects the results. Both calls may be repeated:
each task is run once, and results are kept until the driver confirms them. The token comes with
each upload, and is not stored.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
import time
from collections import deque
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from distributed import get_worker

from batchscan import version
from batchscan.copyleaks import errors as vendor
from batchscan.copyleaks.channel import ApiChannel
from batchscan.copyleaks.secret import SecretStr
from batchscan.copyleaks.transport import Transport
from batchscan.engines.cluster.byte_cache import ByteCache
from batchscan.engines.cluster.messages import (
    Compare,
    DropBody,
    EventBatch,
    Inspect,
    MakePreview,
    MakeSendable,
    Release,
    Task,
    TaskRejected,
    TaskResult,
    Upload,
    Work,
    WorkerInfo,
)
from batchscan.engines.cluster.shutdown_plugin import WorkerShutdownPlugin
from batchscan.engines.cluster.worker_replies import UNSENT, HeldBody, LongReply, reply_to
from batchscan.engines.inspector import Inspector
from batchscan.engines.interface import NotSent, Reply, Success
from batchscan.engines.vendor_client import open_transport
from batchscan.engines.vendor_mapping import to_form
from batchscan.enums import FailReason
from batchscan.errors import StopRun
from batchscan.images.preview import NOTHING, Preview
from batchscan.model import Candidate, Image, NotSendable
from batchscan.pace import AwakeClock
from batchscan.settings import Settings

DEFAULT_CACHE_BYTES = 512 * 1024 * 1024  # of pictures, if Dask sets no limit for memory
CACHE_DIVISOR = 3  # else the limit divided by this
POLL_TIMEOUT = 2.0  # seconds after which `poll_events` returns without events
MAX_EARLY = 1.0  # seconds that an upload waits for its time at most, if clocks differ
BATCH_DELAY = 0.02  # seconds to collect more events for one result
DRIVER_SILENCE = 12.0  # seconds without a poll after which nothing is sent any more
DRIVER_LOST_AFTER = 60.0  # seconds without a poll after which the driver is taken for dead
KEEP_RESULTS = 3600.0  # the same while it has not confirmed all results: it may be suspended
DRAIN_TIMEOUT = 25.0  # seconds that a closing worker waits for running tasks


class WorkerActor:
    """Runs the tasks of one driver; its methods run in the worker's event loop."""

    def __init__(self, settings: Settings, threads: int) -> None:
        """Use `settings`, which have no account."""
        self._settings = settings
        self._inspector = Inspector(settings, max(2, threads))
        self._cache = ByteCache(DEFAULT_CACHE_BYTES)
        self._held = HeldBody()
        self._folder: Path | None = None  # for long answers as they arrive
        self._epoch = secrets.token_hex(8)
        self._events: deque[TaskResult] = deque()
        self._first = 1  # the number of the first event in the list
        self._batches = 0  # submitted so far
        self._under_way: set[asyncio.Task[None]] = set()
        self._happened = asyncio.Event()
        self._leaving = False
        self._awake = AwakeClock(time.monotonic)
        self._taken_at = self._awake.seconds()
        self._opened: tuple[Transport, ApiChannel] | None = None
        self._watch: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<WorkerActor {self._epoch} {len(self._under_way)} under way>"

    async def start(self) -> WorkerInfo:
        """Start, and return the properties of this worker."""
        worker = get_worker()
        limit = worker.memory_manager.memory_limit
        self._cache.room = limit // CACHE_DIVISOR if limit else DEFAULT_CACHE_BYTES
        self._folder = Path(worker.local_directory)
        await worker.plugin_add(plugin=WorkerShutdownPlugin(self), name=f"batchscan-{self._epoch}")
        await self._awake.__aenter__()
        await asyncio.to_thread(self._warm_up)
        self._taken_at = self._awake.seconds()
        self._watch = asyncio.create_task(self._watch_driver(worker))
        python = f"{sys.version_info.major}.{sys.version_info.minor}"
        return WorkerInfo(version.version(), python, self._cache.room)

    async def submit_batch(
        self, batch: int, tasks: tuple[Task, ...], token: SecretStr | None
    ) -> None:
        """Start the tasks of a batch, unless its number is known already."""
        if batch <= self._batches:
            return
        self._batches = batch
        for task in tasks:
            if isinstance(task, Release):
                self._cache.drop(task.path, task.sha256)
                continue
            if isinstance(task, DropBody):
                self._held.release(task.number)
                continue
            if self._leaving:
                self._add_event(TaskResult(task.number, TaskRejected()))
                continue
            running = asyncio.create_task(self._run(task, token))
            self._under_way.add(running)
            running.add_done_callback(self._under_way.discard)

    async def poll_events(self, seen: int) -> EventBatch:
        """Wait a moment for events; those up to number `seen` are confirmed and deleted."""
        self._taken_at = self._awake.seconds()
        while self._events and self._first <= seen:
            self._events.popleft()
            self._first += 1
        if not self._events and not self._leaving:
            self._happened.clear()
            try:
                async with asyncio.timeout(POLL_TIMEOUT):
                    await self._happened.wait()
            except TimeoutError:
                pass
            else:
                await asyncio.sleep(BATCH_DELAY)
        self._taken_at = self._awake.seconds()
        return EventBatch(self._first, tuple(self._events), time.monotonic(), self._leaving)

    async def answer_part(self, number: int, start: int) -> bytes:
        """A part of the body of a `LongReply`, from `start`; may be asked for again."""
        return self._held.part(number, start)

    async def drain(self) -> None:
        """Take no more tasks, and wait until running ones are done and confirmed."""
        self._leaving = True
        self._happened.set()
        ends = time.monotonic() + DRAIN_TIMEOUT
        while self._is_owing and time.monotonic() < ends:
            if self._driver_silent:
                return
            await asyncio.sleep(0.05)

    async def close(self) -> None:
        """Release all resources, after running tasks have ended."""
        if self._watch is not None and self._watch is not asyncio.current_task():
            self._watch.cancel()
        await self._awake.__aexit__(None, None, None)
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=DRAIN_TIMEOUT)
        if self._opened is not None:
            await self._opened[0].aclose()
        self._cache.clear()
        await self._inspector.aclose()

    @property
    def _is_owing(self) -> bool:
        """Whether the driver has not confirmed all tasks, results and bodies."""
        return bool(self._under_way or self._events or self._held.is_waiting)

    @property
    def _driver_silent(self) -> bool:
        """Whether the driver has not polled for so long that it may be dead."""
        return self._silence > DRIVER_SILENCE

    @property
    def _silence(self) -> float:
        """Seconds since the last poll, without those in which this process was suspended."""
        return self._awake.seconds() - self._taken_at

    async def _watch_driver(self, worker: Any) -> None:  # noqa: ANN401 - Dask's
        """Close this actor when the driver is gone."""
        while True:
            await asyncio.sleep(POLL_TIMEOUT)
            paid = self._events or self._held.is_waiting
            patience = KEEP_RESULTS if paid else DRIVER_LOST_AFTER
            if self._silence > patience and not self._under_way:
                break
            if self._silence > KEEP_RESULTS:
                self._held.release()  # running tasks may wait for their turn
        await worker.plugin_remove(f"batchscan-{self._epoch}")

    def _add_event(self, event: TaskResult) -> None:
        self._events.append(event)
        self._happened.set()

    async def _run(self, task: Work, token: SecretStr | None) -> None:
        try:
            result: object = await self._result_of(task, token)
        except Exception as error:  # noqa: BLE001 - raised again in the driver
            result = error.with_traceback(None)
        self._add_event(TaskResult(task.number, result))

    async def _result_of(self, task: Work, token: SecretStr | None) -> object:
        match task:
            case Inspect(_, candidate):
                return await self._inspect(candidate)
            case MakeSendable(_, image, candidate):
                return await self._make_sendable(image, candidate)
            case MakePreview(_, image, candidate):
                complete = await self._with_bytes(image, candidate)
                if isinstance(complete, NotSent):
                    return Preview(None, NOTHING)
                return await self._inspector.make_preview(complete)
            case Compare(_, one, other):
                return await self._inspector.deviation(one, other)
            case Upload():
                return await self._upload(task, token or SecretStr(""))

    async def _inspect(self, candidate: Candidate) -> Image | NotSendable:
        result = await self._inspector.inspect(candidate)
        if isinstance(result, NotSendable):
            return result
        if result.data:
            self._cache.put(result.path, result.sha256, result.data)
        return replace(result, data=b"")

    async def _make_sendable(self, image: Image, candidate: Candidate) -> Image | NotSendable:
        if image.ready:
            return image
        data = self._cache.get(image.path, image.sha256) or b""
        sendable = await self._inspector.make_sendable(replace(image, data=data), candidate)
        if isinstance(sendable, NotSendable):
            return sendable
        self._cache.put(sendable.path, sendable.sha256, sendable.data)
        return replace(sendable, data=b"")

    async def _upload(self, task: Upload, token: SecretStr) -> Reply | LongReply | StopRun:
        """Send a picture; a long body stays here until the driver has fetched it."""
        try:
            reply = await self._send(task, token)
        except BaseException:
            self._held.release(task.number)
            raise
        return self._held.hold(task.number, reply)

    async def _send(self, task: Upload, token: SecretStr) -> Reply | StopRun:
        image = await self._with_bytes(task.image, task.candidate)
        if isinstance(image, NotSent):
            return image
        if self._driver_silent:
            return UNSENT
        channel = self._channel(distrust=task.distrust)
        # The driver counts the request at this time: tasks that arrive early wait for it, so that
        # varying delays on the way to the workers do not cause bursts.
        await asyncio.sleep(min(MAX_EARLY, task.at - time.monotonic()))
        form = to_form(task.scan_id, image, self._settings.api)
        turn = partial(self._held.take, task.number)
        try:
            checked = await channel.check(task.scan_id, form, token, None, turn)
        except vendor.CopyleaksError as error:
            return reply_to(error, self._settings.api)
        return Success(checked.body, time.time(), checked.headers)

    async def _with_bytes(self, image: Image, candidate: Candidate) -> Image | NotSent:
        """A picture with the bytes to send, made again and compared if they were evicted."""
        data = self._cache.get(image.path, image.sha256)
        if data is not None:
            return replace(image, data=data)
        result = await self._inspector.inspect(candidate)
        if isinstance(result, Image):
            result = await self._inspector.make_sendable(result, candidate)
        if isinstance(result, NotSendable):
            failed = isinstance(result.reason, FailReason)
            reason = result.reason if failed else FailReason.CHANGED_WHILE_READING
            return NotSent(
                FailReason(reason), f"the file changed before it was sent: {result.detail}"
            )
        if (result.sha256, result.sent_sha256) != (image.sha256, image.sent_sha256):
            detail = "the file changed before it was sent"
            return NotSent(FailReason.CHANGED_WHILE_READING, detail)
        self._cache.put(result.path, result.sha256, result.data)
        return replace(image, data=result.data)

    def _warm_up(self) -> None:
        """Import and open in advance what would delay the first upload."""
        sending = open_transport(self._settings, self._folder)
        self._opened = sending, ApiChannel(self._settings.api.url, sending, time.time)

    def _channel(self, *, distrust: bool) -> ApiChannel:
        assert self._opened is not None  # noqa: S101 - set by start
        transport, channel = self._opened
        if distrust:
            transport.distrust()
        return channel
