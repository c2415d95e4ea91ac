"""A Dask scheduler and workers as processes of their own, on loopback."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from contextlib import asynccontextmanager

from tests.support.processes import until


class Cluster:
    """Starts, stops and kills its parts."""

    def __init__(self, folder) -> None:
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.scheduler: asyncio.subprocess.Process | None = None
        self.workers: list[asyncio.subprocess.Process] = []
        self.environment = {
            # A store's credentials, by its own chain: the workers read from it
            **{name: value for name, value in os.environ.items() if name[:3] in ("COV", "AWS")},
            "PATH": "/usr/bin:/bin",
            "DASK_DISTRIBUTED__SCHEDULER__WORKER_SATURATION": "1.0",
        }

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    async def start_scheduler(self) -> None:
        self.scheduler = await self._start(
            "scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard"
        )

    async def start_worker(self, host: str = "127.0.0.1", *, nanny: bool = False, more=()) -> int:
        """Start a worker; gives its place among them."""
        words = ["--host", host, "--nthreads", "1", "--no-dashboard", "--memory-limit", "0"]
        words += [
            "--local-directory",
            str(self.folder),
            "--nanny" if nanny else "--no-nanny",
            *more,
        ]
        self.workers.append(await self._start("worker", self.address, *words))
        number = len(self.workers) - 1
        log = self.folder / f"dask-worker-{number}.log"
        await until(lambda: "Starting established connection" in log.read_text())
        return number

    async def _start(self, what: str, *words: str) -> asyncio.subprocess.Process:
        with (self.folder / f"dask-{what}-{len(self.workers)}.log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", f"distributed.cli.dask_{what}", *words,
                env=self.environment, cwd="/", stdin=asyncio.subprocess.DEVNULL,
                stdout=log, stderr=log,
            )  # fmt: skip

    async def end(self, number: int, how: signal.Signals = signal.SIGTERM) -> None:
        await end(self.workers[number], how)

    async def end_scheduler(self, how: signal.Signals = signal.SIGKILL) -> None:
        assert self.scheduler is not None
        await end(self.scheduler, how)

    async def workers_end(self) -> None:
        """Wait until all workers have ended by themselves."""
        await asyncio.gather(*(worker.wait() for worker in self.workers))

    async def retire_one(self) -> None:
        """Ask the scheduler to retire a worker, as an autoscaler does."""
        code = (
            "import sys; from distributed import Client; client = Client(sys.argv[1]);"
            "client.retire_workers(list(client.nthreads())[:1])"
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, self.address,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        assert await process.wait() == 0

    async def aclose(self) -> None:
        for process in (*self.workers, self.scheduler):
            if process is not None:
                await end(process, signal.SIGKILL)


async def end(process: asyncio.subprocess.Process, how: signal.Signals) -> None:
    if process.returncode is None:
        process.send_signal(how)
    await process.wait()


@asynccontextmanager
async def cluster_of(folder, workers: int):
    folder.mkdir()
    cluster = Cluster(folder)
    try:
        await cluster.start_scheduler()
        for _ in range(workers):
            await cluster.start_worker()
        yield cluster
    finally:
        await cluster.aclose()


async def checks_beyond(bench, number: int) -> None:
    """Wait until so many pictures have arrived at the service."""
    await until(lambda: len(bench.checks()) >= number)
