"""The driver's client of one worker actor: sends tasks and receives results in batches."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from batchscan.copyleaks.received_body import ReceivedBody
from batchscan.copyleaks.secret import SecretStr
from batchscan.engines.cluster.dask_client import ActorHandle, DaskClient, WorkerUnreachable
from batchscan.engines.cluster.messages import (
    DropBody,
    EventBatch,
    Release,
    Task,
    TaskRejected,
    TaskResult,
    WorkerInfo,
)
from batchscan.engines.cluster.worker_replies import LongReply
from batchscan.errors import StopRun

BATCH_DELAY = 0.02  # seconds to collect tasks for one batch
LOST_AFTER = 5.0  # seconds without a response after which a worker counts as lost
RETRY_DELAY = 0.5  # seconds between two tries to reach it
POLL_REPLY_TIMEOUT = 12.0  # seconds for one poll, which returns within two if nothing happens
CLOCK_SAMPLES = 50  # responses from which the worker's clock is estimated
MAX_TASKS = 1_000  # running at one worker
MAX_WORKER_LOSSES = 3  # workers that may be lost with one file before it is given up
log = logging.getLogger(__name__)


class WorkerLost(Exception):
    """A worker was lost with a task; `sent` is whether the task may have been started."""

    def __init__(self, address: str, *, sent: bool) -> None:
        super().__init__(f"the worker at {address} was lost")
        self.sent = sent


@dataclass(slots=True)
class _Pending:
    future: asyncio.Future[Any]
    sent: bool = False

    def enter(self, event: TaskResult, address: str) -> None:
        """Resolve the waiting future."""
        if self.future.done():
            return
        if isinstance(event.result, TaskRejected):
            self.future.set_exception(WorkerLost(address, sent=False))
        else:
            self.future.set_result(event.result)


class WorkerClient:
    """Submits tasks to an actor and returns their results."""

    def __init__(
        self,
        dask: DaskClient,
        handle: ActorHandle,
        worker: WorkerInfo,
        awake: Callable[[], float],
        changed: Callable[[WorkerClient], None],
    ) -> None:
        """Use a started actor.

        Args:
            dask: the cluster.
            handle: the actor.
            worker: the properties of its worker.
            awake: returns the seconds against which its silence is measured.
            changed: called when it has more room, is retiring, or is gone.
        """
        self.address = handle.address
        self.host = urlsplit(handle.address).hostname or handle.address
        self.free_bytes = worker.free_bytes
        self.pictures = 0  # that it holds
        self.retiring = False
        self.registered = True  # whether the scheduler knows the worker
        self.lost = False
        self.vanished = False  # lost without retiring, or with running tasks
        self._dask = dask
        self._handle = handle
        self._awake = awake
        self._changed = changed
        self._numbers = itertools.count(1)
        self.idle = asyncio.Event()  # set while no task is running
        self.idle.set()
        self._pending: dict[int, _Pending] = {}
        self._outbox: list[Task] = []
        self._token: SecretStr | None = None
        self._wake = asyncio.Event()
        self._seen = 0
        self._ahead: deque[float] = deque(maxlen=CLOCK_SAMPLES)
        self._tasks = [
            asyncio.create_task(self._submit_batch()),
            asyncio.create_task(self._poll_events()),
        ]

    def __repr__(self) -> str:
        return f"<WorkerClient {self.address} {len(self._pending)} under way>"

    @property
    def free(self) -> bool:
        """Whether it can take one more picture."""
        usable = not (self.lost or self.retiring)
        return usable and self.free_bytes > 0 and self.pictures < MAX_TASKS

    async def submit(
        self,
        make: Callable[[int], Task],
        token: SecretStr | None = None,
        body: ReceivedBody | None = None,
    ) -> Any:  # noqa: ANN401 - depends on the task
        """Run one task; returns its result or raises its exception.

        Args:
            make: makes the task, with its number.
            token: the access token of an upload.
            body: receives the body of a `LongReply`.

        Raises:
            WorkerLost: the worker was lost.
        """
        if self.lost:
            raise WorkerLost(self.address, sent=False)
        number = next(self._numbers)
        pending = _Pending(asyncio.get_running_loop().create_future())
        self._pending[number] = pending
        self.idle.clear()
        self._token = token or self._token
        self._send(make(number))
        try:
            result = await pending.future
            if isinstance(result, LongReply) and body is not None:
                await self._fetch(number, result.bytes, body)
        finally:
            self._pending.pop(number, None)
            if not self._pending:
                self.idle.set()
        if isinstance(result, Exception):
            if self.retiring and not isinstance(result, StopRun):  # its resources were closed
                raise WorkerLost(self.address, sent=True) from result
            raise result
        return result

    async def _fetch(self, number: int, size: int, body: ReceivedBody) -> None:
        """Fetch the body of a `LongReply`; it belongs to the running task until it is here."""
        while body.size < size:
            part = await self._call("answer_part", number, body.size, seconds=POLL_REPLY_TIMEOUT)
            if not isinstance(part, bytes):
                raise WorkerLost(self.address, sent=True)
            body.add(part)
            if body.is_block_full:
                await body.store()
        self._send(DropBody(number))

    def release(self, path: str, sha256: str) -> None:
        """Drop a picture's bytes on the worker."""
        if not self.lost:
            self._send(Release(path, sha256))

    async def stop(self) -> None:
        """Stop the actor, which has no running tasks."""
        self.lost = True
        await self._stop()
        with suppress(WorkerUnreachable):
            await self._dask.call(self._handle, "close", seconds=LOST_AFTER)
        self._dask.forget_actor(self._handle)

    def mark_lost(self) -> None:
        """Fail all running tasks, as the worker is gone."""
        if self.lost:
            return
        self.lost = True
        self.vanished = not self.retiring or bool(self._pending)
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()
        for pending in self._pending.values():
            if not pending.future.done():
                pending.future.set_exception(WorkerLost(self.address, sent=pending.sent))
        self._dask.forget_actor(self._handle)
        self._changed(self)

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _send(self, task: Task) -> None:
        self._outbox.append(task)
        self._wake.set()

    async def _submit_batch(self) -> None:
        for batch in itertools.count(1):
            await self._wake.wait()
            await asyncio.sleep(BATCH_DELAY)
            self._wake.clear()
            tasks, self._outbox = tuple(self._outbox), []
            for task in tasks:
                if not isinstance(task, Release | DropBody) and task.number in self._pending:
                    self._pending[task.number].sent = True
            if not await self._call(
                "submit_batch", batch, tasks, self._token, seconds=POLL_REPLY_TIMEOUT
            ):
                return

    async def _poll_events(self) -> None:
        while batch := await self._call("poll_events", self._seen, seconds=POLL_REPLY_TIMEOUT):
            self._enter(batch)

    async def _call(self, method: str, *args: object, seconds: float = LOST_AFTER) -> Any:  # noqa: ANN401
        """Call until there is a result; None if none comes, and the worker is marked as lost."""
        since: float | None = None
        while not self.lost:
            began = self._awake()
            try:
                return await self._dask.call(self._handle, method, *args, seconds=seconds) or True
            except WorkerUnreachable as error:
                since = since or began
                log.debug("%s at %s: %s", method, self.address, error)
                if not self.registered or self._awake() - since >= LOST_AFTER:
                    self.mark_lost()
                    return None
            except Exception as error:  # noqa: BLE001 - after any error the worker is of no use
                log.warning("the worker at %s fails: %r", self.address, error)
                self.mark_lost()
                return None
            await asyncio.sleep(RETRY_DELAY)
        return None

    def time_there(self, at: float) -> float:
        """Convert this machine's monotonic time to the worker's clock."""
        return at + max(self._ahead, default=0.0)

    def _enter(self, batch: EventBatch) -> None:
        # The fastest of the last responses gives the best estimate of the difference.
        self._ahead.append(batch.now - time.monotonic())
        for number, event in enumerate(batch.events, batch.first):
            pending = self._pending.get(event.number)
            if number > self._seen and pending is not None:
                pending.enter(event, self.address)
        self._seen = max(self._seen, batch.first + len(batch.events) - 1)
        if batch.retiring and not self.retiring:
            self.retiring = True
            log.info("the worker at %s is stopping", self.address)
            self._changed(self)
