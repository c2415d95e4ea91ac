"""The pool of worker actors: one for each Dask worker, balanced by host."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from batchscan import version
from batchscan.engines.cluster.dask_client import (
    ActorHandle,
    DaskClient,
    SchedulerNotFound,
    WorkerUnreachable,
)
from batchscan.engines.cluster.messages import WorkerInfo
from batchscan.engines.cluster.worker_client import WorkerClient
from batchscan.engines.interface import ClusterInfo
from batchscan.errors import Unavailable, UsageError
from batchscan.pace import Clock
from batchscan.settings import Settings

REFRESH_INTERVAL = 1.0  # seconds between two queries for workers
FIRST_WORKER_TIMEOUT = 30.0  # seconds to wait for the first worker
MAX_RETIRE_ATTEMPTS = 20  # to retire a worker
MAX_NAMED_WORKERS = 1_000  # lost workers that a report names
log = logging.getLogger(__name__)


class WorkerPool:
    """Keeps an actor on every worker, and picks the worker for the next picture."""

    def __init__(
        self,
        dask: DaskClient,
        settings: Settings,
        clock: Clock,
        awake: Callable[[], float],
        check_halt: Callable[[], None],
    ) -> None:
        """Use a cluster.

        Args:
            dask: the cluster.
            settings: of the run; actors get only the parts that they need.
            clock: for waiting.
            awake: returns the seconds against which `--retry-for` and silence are measured.
            check_halt: raises once the run stops.
        """
        self._dask = dask
        self._settings = settings
        self._clock = clock
        self._awake = awake
        self._check_halt = check_halt
        self._clients: dict[str, WorkerClient] = {}
        self._unfit: dict[str, str] = {}  # workers that cannot be used, and why
        self._retiring: set[str] = set()
        self._hosts: set[str] = set()
        self._workers = 0
        self._lost: list[str] = []
        self._changed = asyncio.Event()
        self._turn = asyncio.Lock()  # fair: first come, first served
        self._watch: asyncio.Task[None] | None = None
        self._chores: set[asyncio.Task[None]] = set()

    @property
    def info(self) -> ClusterInfo:
        """Workers and hosts, for the report."""
        return ClusterInfo(self._workers, len(self._hosts), tuple(self._lost))

    async def open(self) -> None:
        """Wait for the first workers, and start their actors.

        Raises:
            UsageError: there is none, or one that cannot be used.
        """
        loop = asyncio.get_running_loop()
        ends = loop.time() + FIRST_WORKER_TIMEOUT
        while not self._clients:
            self._check_halt()
            with suppress(WorkerUnreachable):
                await self._refresh_workers()
            if self._unfit:
                address, why = next(iter(self._unfit.items()))
                raise UsageError(
                    f"the Dask worker at {address} cannot be used: {why}",
                    advice="install the same version of batchscan and Python on every worker",
                )
            if not self._clients and loop.time() >= ends:
                raise UsageError(
                    f"the Dask cluster at {self._dask.address} has no workers",
                    advice="start some: dask worker ADDRESS",
                )
            if not self._clients:
                await asyncio.sleep(REFRESH_INTERVAL / 4)
        self._dask.on_retirement_refused(self._retire)
        self._watch = asyncio.create_task(self._watch_workers())

    async def pick_worker(self) -> WorkerClient:
        """The worker for the next picture: on the least busy host.

        Raises:
            Unavailable: there has been no worker for longer than `--retry-for`.
            StopRun: the run stops.
        """
        async with self._turn:
            since: float | None = None
            while True:
                self._check_halt()
                free = [client for client in self._clients.values() if client.free]
                if free:
                    load = Counter[str]()
                    for client in self._clients.values():
                        load[client.host] += client.pictures
                    return min(free, key=lambda client: (load[client.host], client.pictures))
                since = self._since_no_worker(since)
                self._changed.clear()
                await self._clock.wait(self._changed, REFRESH_INTERVAL)

    def _since_no_worker(self, since: float | None) -> float | None:
        """The time since which there is no worker; None while there is one."""
        if any(not client.retiring for client in self._clients.values()):
            return None
        now = self._awake()
        since = now if since is None else since
        patience = self._settings.api.retry_for
        if now - since >= patience:
            raise Unavailable(
                f"the Dask cluster at {self._dask.address} has had no workers for {patience:.0f} s",
                advice="start some, then run the same command again to continue",
            )
        return since

    def notify(self) -> None:
        """Wake tasks that wait for a worker: one has more room, or the run stops."""
        self._changed.set()

    async def aclose(self) -> None:
        """Stop all actors, and disconnect."""
        for task in (self._watch, *self._chores):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        clients = [client for client in self._clients.values() if not client.lost]
        await asyncio.gather(*(client.stop() for client in clients))
        await self._dask.aclose()

    async def _watch_workers(self) -> None:
        away = False
        while True:
            await asyncio.sleep(REFRESH_INTERVAL)
            try:
                await self._refresh_workers()
            except WorkerUnreachable:
                away = True
                with suppress(SchedulerNotFound):
                    await self._dask.reopen()
            else:
                if away:  # it may have been restarted
                    self._dask.on_retirement_refused(self._retire)
                away = False

    async def _refresh_workers(self) -> None:
        """Start actors on new workers.

        Raises:
            WorkerUnreachable: the scheduler does not answer.
        """
        workers = await self._dask.workers()
        for address, client in self._clients.items():
            client.registered = address in workers
        new = {
            address: threads
            for address, threads in workers.items()
            if address not in {*self._clients, *self._unfit, *self._retiring}
        }
        await asyncio.gather(
            *(self._start_actor(address, threads) for address, threads in new.items())
        )

    async def _start_actor(self, address: str, threads: int) -> None:
        try:
            handle, worker = await start_actor(self._dask, address, threads, self._settings)
        except IncompatibleWorker as unfit:
            self._unfit[address] = str(unfit)
            log.warning("the Dask worker at %s cannot be used: %s", address, unfit)
        except WorkerUnreachable as gone:
            log.info("the Dask worker at %s could not be started: %s", address, gone)
        else:
            client = WorkerClient(self._dask, handle, worker, self._awake, self._on_change)
            self._clients[address] = client
            self._workers += 1
            self._hosts.add(client.host)
            log.info("started the Dask worker at %s", address)
            self.notify()

    def _on_change(self, client: WorkerClient) -> None:
        if client.lost:
            self._clients.pop(client.address, None)
            if client.vanished:
                log.warning("the Dask worker at %s was lost", client.address)
                self._lost += [client.address][: MAX_NAMED_WORKERS - len(self._lost)]
        self.notify()

    def _retire(self, address: str) -> None:
        """Stop the actor of a worker to be retired: Dask does not retire one with an actor."""
        client = self._clients.get(address)
        if client is None or client.retiring:
            return
        client.retiring = True
        self._retiring.add(address)
        log.info("the Dask worker at %s is retiring", address)
        task = asyncio.create_task(self._leave(client))
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    async def _leave(self, client: WorkerClient) -> None:
        await client.idle.wait()
        if not client.lost:
            await client.stop()
            self._clients.pop(client.address, None)
        self.notify()
        for _ in range(
            MAX_RETIRE_ATTEMPTS
        ):  # until the scheduler has noticed that the actor is gone
            await asyncio.sleep(REFRESH_INTERVAL / 2)
            if await self._dask.retire(client.address):
                break
        self._retiring.discard(client.address)


class IncompatibleWorker(Exception):
    """A worker that cannot be used; the message has the reason."""


async def start_actor(
    dask: DaskClient, address: str, threads: int, settings: Settings
) -> tuple[ActorHandle, WorkerInfo]:
    """Start an actor on a worker.

    Raises:
        IncompatibleWorker: another Python or batchscan runs there, or none.
        WorkerUnreachable: it is gone.
    """
    try:
        handle = await dask.start_actor(address, threads, _terms(settings))
        worker: WorkerInfo = await dask.call(handle, "start")
    except WorkerUnreachable:
        raise
    except Exception as error:  # another version may raise anything
        raise IncompatibleWorker(f"batchscan cannot be started there ({error!r})") from error
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    if worker.python != python:
        raise IncompatibleWorker(f"it runs Python {worker.python}, and this is {python}")
    if worker.version != version.version():
        raise IncompatibleWorker(
            f"it has batchscan {worker.version}, and this is {version.version()}"
        )
    return handle, worker


def _terms(settings: Settings) -> Settings:
    """The settings for an actor: without account, folders, and addresses other than the API's."""
    return Settings(api=settings.api, scan=settings.scan, pace=settings.pace)
