"""An event loop whose time skips ahead when everybody on it only waits.

Time stops while anything works: a machine that is slow is not one on which more time
passes. When no callback is ready, no thread works for the loop and no socket has anything for it,
the next thing to happen is a timer, and time goes on to it at once. All timers of the loop share
this time (pauses, timeouts, the emulator's latency), so they fire in the order in which they would.

Where a process was started, nobody here knows what it waits for: while one runs, time passes as
on the machine.
"""

from __future__ import annotations

import asyncio
import fcntl
import functools
import selectors
import struct
import termios
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from batchscan.engines.inspector import ThreadPool
from batchscan.ledger.thread import LedgerThread
from batchscan.pace import AwakeClock
from tests.support.inside import selector_of

GRACE = 0.005  # seconds in which what is on its way between two sockets of this machine arrives
SLICE = 0.05  # seconds between two looks at whether threads and processes still work
PATIENCE = 5.0  # seconds after which a thread is taken to wait for the loop itself
T = TypeVar("T")


def skipping(loop: asyncio.AbstractEventLoop) -> Skipping:
    """The time of this loop, which skips from now on."""
    found = getattr(loop, "skipping", None)
    if found is None:
        found = Skipping(loop)
        loop.skipping = found  # type: ignore[attr-defined]
    assert isinstance(found, Skipping)
    return found


class Skipping:
    """Takes the place of a loop's clock, and of the wait in its selector."""

    def __init__(self, loop: Any) -> None:
        self.skipped = 0.0  # seconds that did not pass on the machine
        self._now: float = loop.time()
        self._seen = 0.0  # when time last went on as on the machine
        self._working = 0  # jobs of threads whose results the loop awaits
        self._starting = 0
        self._processes: list[Callable[[], int | None]] = []  # their exit codes
        self._selector = selector_of(loop)
        self._select: Callable[[float | None], list[Any]] = self._selector.select
        self._selector.select = self._wait
        self._run_in_executor = loop.run_in_executor
        self._subprocess_exec = loop.subprocess_exec
        self._shutdown_executor = loop.shutdown_default_executor
        loop.time = self.time
        loop.run_in_executor = self._counted
        loop.subprocess_exec = self._followed
        loop.shutdown_default_executor = self._shut_down

    def time(self) -> float:
        if self._processes_run():
            now = time.monotonic()
            self._now += now - self._seen
            self._seen = now
        return self._now

    def skip(self, seconds: float) -> None:
        """Let this much pass at once."""
        self._now += seconds
        self.skipped += seconds

    def works(self) -> None:
        """A thread works for the loop, until `rests`."""
        self._working += 1

    def rests(self) -> None:
        self._working -= 1

    def _wait(self, timeout: float | None) -> list[Any]:
        """Wait for sockets or the next timer, as a selector does."""
        found = self._select(0)
        if found or timeout == 0:
            return found
        if self._processes_run():
            return self._select(timeout if timeout is None else min(timeout, SLICE))
        if timeout is None:
            return self._select(SLICE)
        if self._working:
            found = self._select(PATIENCE)
        elif self._sends():
            found = self._select(GRACE)
        if not found:
            self.skip(timeout)
        return found

    def _sends(self) -> bool:
        """Whether a socket connects, or has sent what did not arrive; on loopback that is rare."""
        return any(
            key.events & selectors.EVENT_WRITE or unacknowledged(key.fd)
            for key in self._selector.get_map().values()
        )

    def _processes_run(self) -> bool:
        if self._processes or self._starting:
            self._processes = [code for code in self._processes if code() is None]
        return bool(self._processes or self._starting)

    def _counted(self, executor: Any, function: Callable[..., Any], *arguments: Any) -> Any:
        future = self._run_in_executor(executor, function, *arguments)
        self.works()
        future.add_done_callback(lambda _: self.rests())
        return future

    async def _shut_down(self, *arguments: Any) -> None:
        """From Python 3.12 on, threads are joined within a timeout of the loop."""
        self.works()
        try:
            await self._shutdown_executor(*arguments)
        finally:
            self.rests()

    async def _followed(self, *arguments: Any, **options: Any) -> Any:
        with self.starting():
            transport, protocol = await self._subprocess_exec(*arguments, **options)
            self.follow(transport.get_returncode)
        return transport, protocol

    @contextmanager
    def starting(self) -> Iterator[None]:
        """A process is being started."""
        if not self._processes_run():
            self._seen = time.monotonic()
        self._starting += 1
        try:
            yield
        finally:
            self._starting -= 1

    def follow(self, exit_code: Callable[[], int | None]) -> None:
        """A process was started, which runs while it has no exit code."""
        self._processes.append(exit_code)


def unacknowledged(descriptor: int) -> int:
    """How many bytes of a socket its other end does not have yet."""
    with suppress(OSError):  # it listens
        count: int = struct.unpack("i", fcntl.ioctl(descriptor, termios.TIOCOUTQ, bytes(4)))[0]
        return count
    return 0


def _counting(run: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T]]:
    """Let a loop know of jobs of the product's own threads."""

    @functools.wraps(run)
    async def counted(*arguments: Any) -> T:
        found = getattr(asyncio.get_running_loop(), "skipping", None)
        if found is None:
            return await run(*arguments)
        found.works()
        try:
            return await run(*arguments)
        finally:
            found.rests()

    return counted


async def _check_where_time_is_real(awake: AwakeClock) -> None:
    """Check for sleep of the machine, where time is the machine's.

    Two checks in a second would be most of what happens in a long pause that is skipped.
    """
    if not hasattr(asyncio.get_running_loop(), "skipping"):
        await _check_regularly(awake)


_check_regularly = AwakeClock._check_regularly
AwakeClock._check_regularly = _check_where_time_is_real  # type: ignore[method-assign, assignment]
LedgerThread.run = _counting(LedgerThread.run)  # type: ignore[method-assign, assignment]
ThreadPool.run = _counting(ThreadPool.run)  # type: ignore[method-assign, assignment]
