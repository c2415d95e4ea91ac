"""A typed wrapper for everything that is used of Dask, which has no types.

Actors are not called through Dask's own proxies, which repeat a call when a connection breaks and
wait for ever for an actor that is gone.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from typing import Any

from distributed import Client, LocalCluster, Status
from distributed.core import ConnectionPool
from distributed.protocol import to_serialize
from distributed.security import Security

from batchscan.copyleaks.awake_timeout import AwakeTimeout
from batchscan.engines.cluster.worker_actor import WorkerActor
from batchscan.settings import Settings
from batchscan.settings.model_groups import LOCAL

CONNECT_TIMEOUT = 2.0  # seconds for connecting to a worker
MAX_WORKERS = 4_096  # connections at once
CALL_TIMEOUT = 10.0  # seconds for the result of a call
EVENTS_TOPIC = "all"  # the scheduler's topic
ACTOR_START_TIMEOUT = (
    30.0  # seconds for starting an actor: a worker may have to import batchscan first
)
log = logging.getLogger(__name__)
KEY_VARIABLES = (
    "COPYLEAKS_API_KEY",
    "COPYLEAKS_API_KEY_FILE",
)  # not for the processes of a local cluster


class WorkerUnreachable(Exception):
    """A worker, or the scheduler, does not answer."""


class SchedulerNotFound(Exception):
    """No scheduler can be reached at the address; the message has the reason."""


@dataclass(frozen=True, slots=True)
class ActorHandle:
    """An actor on a worker, which lives as long as this handle."""

    address: str
    key: str
    future: Any = field(repr=False)


class DaskClient:
    """A scheduler and its workers; for the driver's event loop."""

    def __init__(self, address: str, connect_timeout: float) -> None:
        """Use a scheduler; the address `local` starts processes on this machine."""
        self.address = address
        self._timeout = connect_timeout
        self._local: Any = None
        self._hidden: dict[str, str] = {}  # removed from the environment during a local cluster
        self._client: Any = None
        self._pool: Any = None  # connections to workers; the client's own waits long for dead ones

    async def open(self) -> None:
        """Connect.

        Raises:
            SchedulerNotFound: there is no connection.
        """
        _quieten()
        if self.address == LOCAL:
            await self._start_local()
        try:
            security = Security() if self._local is None else self._local.security
            self._client = await Client(
                self._local if self._local is not None else self.address,
                asynchronous=True,
                set_as_default=False,
                timeout=self._timeout,
                security=security,
                name="batchscan",
            )
            if self._pool is None:
                args = security.get_connection_args("client")
                self._pool = ConnectionPool(
                    MAX_WORKERS, connection_args=args, timeout=CONNECT_TIMEOUT
                )
                await self._pool.start()
        except (OSError, ValueError, TypeError, RuntimeError, ImportError) as error:
            await self.aclose()
            raise SchedulerNotFound(str(error) or type(error).__name__) from error

    async def reopen(self) -> None:
        """Connect again if the connection was lost.

        Raises:
            SchedulerNotFound: there is no connection.
        """
        if self._client is not None and self._client.status == "running":
            return
        if self._client is not None and self._client.status == "connecting":
            raise SchedulerNotFound("the scheduler does not answer")
        await self.open()

    async def workers(self) -> Mapping[str, int]:
        """The addresses of the running workers, and their numbers of threads.

        Raises:
            WorkerUnreachable: the scheduler does not answer.
        """
        try:
            async with asyncio.timeout(CALL_TIMEOUT):
                cores: dict[str, int] = await self._client.scheduler.ncores_running()
        except (OSError, TimeoutError, AttributeError, RuntimeError, ValueError) as error:
            raise WorkerUnreachable(str(error)) from error
        return cores

    async def start_actor(self, address: str, threads: int, settings: Settings) -> ActorHandle:
        """Start an actor on a worker.

        Raises:
            WorkerUnreachable: the worker is gone, or takes too long.
            ImportError, AttributeError: batchscan is not installed there, or in another version.
        """
        key = f"batchscan-actor-{secrets.token_hex(8)}"
        try:
            future = self._client.submit(
                WorkerActor,
                settings,
                threads,
                key=key,
                workers=[address],
                allow_other_workers=False,
                actor=True,
            )
            async with asyncio.timeout(ACTOR_START_TIMEOUT):
                error = await future.exception()
        except (OSError, TimeoutError, RuntimeError) as failed:
            raise WorkerUnreachable(str(failed)) from failed
        except asyncio.CancelledError:  # Dask's own cancellations raise this, too
            if _cancelling():
                raise
            raise WorkerUnreachable("the scheduler was lost") from None
        if error is not None:
            raise error
        if future.status != "finished":
            raise WorkerUnreachable(f"its actor is {future.status}")
        return ActorHandle(address, key, future)

    async def call(
        self, handle: ActorHandle, method: str, *args: object, seconds: float = CALL_TIMEOUT
    ) -> Any:  # noqa: ANN401 - the method's
        """Call an actor's method once.

        Raises:
            WorkerUnreachable: no result came; the method may have been called.
        """
        try:
            async with AwakeTimeout() as timeout:
                timeout.allow(seconds)
                response = await self._pool(handle.address).actor_execute(
                    function=method,
                    actor=handle.key,
                    args=[to_serialize(arg) for arg in args],
                    kwargs={},
                )
        except (OSError, TimeoutError, KeyError, RuntimeError, ValueError) as error:
            raise WorkerUnreachable(str(error) or type(error).__name__) from error
        if response["status"] != "OK":
            raise response["exception"]
        return response["result"]

    def forget_actor(self, handle: ActorHandle) -> None:
        """Let Dask delete an actor."""
        with suppress(RuntimeError, OSError):
            handle.future.release()

    async def retire(self, address: str) -> bool:
        """Ask the scheduler again to retire a worker that has no actor any more."""
        with suppress(OSError, RuntimeError, ValueError, TimeoutError):
            async with asyncio.timeout(CALL_TIMEOUT):
                return address in await self._client.retire_workers([address], close_workers=True)
        return False

    def on_retirement_refused(self, notify: Any) -> None:  # noqa: ANN401 - a callable
        """Call `notify(address)` for workers that were not retired because of their actors."""

        def forward(event: tuple[float, Any]) -> None:
            message = event[1]
            if isinstance(message, dict) and message.get("action") == "retire-workers":
                for address in message.get("could-not-retire", ()):
                    notify(address)

        self._client.subscribe_topic(EVENTS_TOPIC, forward)

    async def aclose(self) -> None:
        """Disconnect; a local cluster is shut down."""
        client, self._client = self._client, None
        local, self._local = self._local, None
        pool, self._pool = self._pool, None
        with suppress(OSError, TimeoutError, RuntimeError, asyncio.CancelledError):
            if pool is not None:
                await pool.close()
            if client is not None:
                with suppress(ValueError):  # not subscribed
                    client.unsubscribe_topic(EVENTS_TOPIC)
                await client.close()
        with suppress(OSError, TimeoutError, RuntimeError):
            if local is not None:
                await local.close()
        os.environ.update(self._hidden)

    async def _start_local(self) -> None:
        if self._local is not None and self._local.status == Status.running:
            return
        # The processes of a local cluster inherit the environment, also those started later.
        self._hidden |= {name: os.environ.pop(name) for name in KEY_VARIABLES if name in os.environ}
        # Other users of this machine could run code through an open port: use TLS with
        # certificates that only these processes have, and no dashboard.
        with _without_interrupts():
            self._local = await LocalCluster(
                asynchronous=True,
                processes=True,
                security=True,
                dashboard_address="127.0.0.1:0",
                worker_dashboard_address="127.0.0.1:0",
                scheduler_kwargs={"dashboard": False},
                protocol="tls://",
                silence_logs=logging.CRITICAL,
            )


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Let processes started in the block ignore Ctrl-C: this process lets them finish."""
    resource_tracker.ensure_running()  # starting it later would unblock interrupts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _quieten() -> None:
    """Suppress Dask's own log messages, except with `--verbose`."""
    if log.isEnabledFor(logging.DEBUG):
        return
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in ("distributed", "tornado"):
            logging.getLogger(name).setLevel(logging.CRITICAL)


def _cancelling() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
