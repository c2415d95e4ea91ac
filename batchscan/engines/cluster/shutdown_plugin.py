"""A worker that closes waits for its actor: what the actor did is paid for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from distributed import WorkerPlugin

if TYPE_CHECKING:
    from batchscan.engines.cluster.worker_actor import WorkerActor


class WorkerShutdownPlugin(WorkerPlugin):  # type: ignore[misc]  # Dask has no types
    """A plugin of the worker, so that the actor can act on its closing."""

    def __init__(self, actor: WorkerActor) -> None:
        self._actor = actor

    async def teardown(self, worker: Any) -> None:  # noqa: ANN401, ARG002 - Dask's
        """Wait until running tasks are done and confirmed, then close."""
        await self._actor.drain()
        await self._actor.close()
