"""The ledger's own thread: many writes a commit, and none is done before it is on the disk."""

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
    """Runs operations on a `Ledger` in their order, and answers after the commit.

    All that wait together are committed together, so that 64 workers share one `fsync`.
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

        The operation is carried out even when the caller is cancelled meanwhile. It may be run
        again after a rollback, so its only effects are those on the ledger.

        Raises:
            StorageError: the ledger cannot be read or written.
        """
        job = _Operation(operation, self._loop.create_future())
        self._jobs.put(job)
        result: T = await job.future
        return result

    async def aclose(self) -> None:
        """Finish what is queued, end the thread, close the ledger."""
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        while not self._take_turn():
            pass
        self._ledger.close()

    def _take_turn(self) -> bool:
        """Wait for jobs and do them; whether they were the last. Nothing of them is held on to."""
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
        """Commit all together; where that fails each alone, so that one failure is one job's."""
        try:
            with self._ledger.transaction(writing=writing):
                for job in jobs:
                    job.value = job.operation(self._ledger)
        except sqlite3.OperationalError as error:
            # The module raises some of its own, without a code.
            busy = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
            if busy and not writing:
                # Whoever has looked may not wait to write, SQLite fears a deadlock: first wait,
                # then look again and write.
                self._commit(jobs, writing=True)
            elif busy:  # and it has been waited for
                _fail(jobs, self._ledger.unusable(error))
            else:
                self._commit_each(jobs)
        except Exception:  # noqa: BLE001 - raised again where it belongs
            self._commit_each(jobs)

    def _commit_each(self, jobs: list[_Operation]) -> None:
        for job in jobs:
            try:
                with self._ledger.transaction(writing=True):
                    job.value = job.operation(self._ledger)
            except sqlite3.Error as error:
                job.error = self._ledger.unusable(error)
            except Exception as error:  # noqa: BLE001 - carried over to the task that asked
                job.error = self._ledger.explained(error)

    def _answer(self, jobs: list[_Operation]) -> None:
        try:
            self._loop.call_soon_threadsafe(_resolve, jobs)
        except RuntimeError:  # the loop is gone: a second signal; the commit holds
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
