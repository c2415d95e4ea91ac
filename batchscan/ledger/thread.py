"""The ledger's thread: operations are committed in groups, and complete once they are on disk."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from batchscan.ledger.ledger import Ledger

T = TypeVar("T")
MAX_PER_COMMIT = 256


@dataclass(slots=True)
class _Operation:
    operation: Callable[[Ledger], Any]
    future: asyncio.Future[Any]
    value: Any = None
    error: BaseException | None = None


class LedgerThread:
    """Runs operations on a `Ledger` in order, and returns their results after the commit.

    All waiting operations are committed together, so that 64 workers share one `fsync`.
    The queue holds at most one job for each task that awaits one.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._jobs: queue.SimpleQueue[_Operation | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._work, name="ledger", daemon=True)
        self._thread.start()

    async def run(self, operation: Callable[[Ledger], T]) -> T:
        """Run `operation(ledger)` in a transaction; its effects are durable when this returns.

        The operation is run even if the caller is cancelled meanwhile. It may be run again after
        a rollback, so it must have no effects other than those on the ledger.

        Raises:
            StorageError: the ledger cannot be read or written.
        """
        job = _Operation(operation, self._loop.create_future())
        self._jobs.put(job)
        result: T = await job.future
        return result

    async def aclose(self) -> None:
        """Run the queued operations, end the thread, close the ledger."""
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        while not self._take_turn():
            pass
        self._ledger.close()

    def _take_turn(self) -> bool:
        """Wait for jobs and run them; returns whether they were the last. Keeps no reference."""
        jobs, last = self._next_jobs()
        if jobs:
            self._commit(jobs)
            self._answer(jobs)
        return last

    def _next_jobs(self) -> tuple[list[_Operation], bool]:
        job = self._jobs.get()
        jobs: list[_Operation] = []
        while job is not None:
            jobs.append(job)
            if len(jobs) == MAX_PER_COMMIT or self._jobs.empty():
                return jobs, False
            job = self._jobs.get()
        return jobs, True

    def _commit(self, jobs: list[_Operation], *, writing: bool = False) -> None:
        """Commit all together; if that fails each alone, so that only the failing job fails."""
        try:
            with self._ledger.transaction(writing=writing):
                for job in jobs:
                    job.value = job.operation(self._ledger)
        except sqlite3.OperationalError as error:
            # Errors raised by the Python module itself have no code.
            busy = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
            if busy and not writing:
                # SQLite does not let a transaction that has read wait to write (deadlock): lock
                # first, then read again and write.
                self._commit(jobs, writing=True)
            elif busy:  # even after waiting
                _fail(jobs, self._ledger.unusable(error))
            else:
                self._commit_each(jobs)
        except Exception:  # noqa: BLE001 - raised again for the job that fails
            self._commit_each(jobs)

    def _commit_each(self, jobs: list[_Operation]) -> None:
        for job in jobs:
            try:
                with self._ledger.transaction(writing=True):
                    job.value = job.operation(self._ledger)
            except sqlite3.Error as error:
                job.error = self._ledger.unusable(error)
            except Exception as error:  # noqa: BLE001 - raised in the awaiting task
                job.error = self._ledger.explained(error)

    def _answer(self, jobs: list[_Operation]) -> None:
        try:
            self._loop.call_soon_threadsafe(_resolve, jobs)
        except RuntimeError:  # the loop is closed after a second signal; the commit is done
            return


def _fail(jobs: list[_Operation], error: BaseException) -> None:
    for job in jobs:
        job.error = error


def _resolve(jobs: list[_Operation]) -> None:
    for job in jobs:
        if job.future.cancelled():
            continue
        if job.error is None:
            job.future.set_result(job.value)
        else:
            job.future.set_exception(job.error)
