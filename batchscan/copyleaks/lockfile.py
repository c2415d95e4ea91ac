"""A lock between processes that a task can stop waiting for."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from filelock import FileLock, Timeout

POLL = 0.05  # seconds; also how long a cancelled task waits for its thread


@asynccontextmanager
async def locked(path: Path) -> AsyncIterator[None]:
    """Hold the lock file at `path`, waited for in a thread.

    Where no lock can be had (a read-only folder, a file system without locks) it goes on without:
    what is lost is the sharing.
    """
    lock = FileLock(path, mode=0o600, thread_local=False)
    given_up = threading.Event()
    taking = asyncio.create_task(asyncio.to_thread(_take, lock, given_up))
    try:
        await asyncio.shield(taking)
        yield
    finally:
        # A thread left behind would take the lock later, and nobody would ever release it.
        given_up.set()
        await asyncio.wait({taking})
        lock.release()


def _take(lock: FileLock, given_up: threading.Event) -> None:
    while not given_up.is_set():
        try:
            os.makedirs(os.path.dirname(lock.lock_file), mode=0o700, exist_ok=True)
            lock.acquire(timeout=POLL, poll_interval=POLL)
        except Timeout:
            continue
        except (OSError, NotImplementedError):
            return
        return
