"""Read access to the ledger: one connection on its own thread, closed when idle.

Decisions use short-lived connections of their own (`actions`), so that browser windows and a scan
do not block one another.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from typing import Final, TypeVar

from batchscan.allow import AllowRules, Rule, load_rules
from batchscan.allow.active import ActiveAllowRules
from batchscan.allow.scope import scope_of
from batchscan.errors import StorageError
from batchscan.ledger import FILE_NAME, Ledger
from batchscan.ledger.allowed_matches import AllowedMatches
from batchscan.ledger.backup import no_ledger
from batchscan.runs.reports import last_perspective
from batchscan.settings.load import LoadedSettings
from batchscan.settings.locations import allow_file, state_folder
from batchscan.state.access import realm_of
from batchscan.util.timestamps import utc_date

T = TypeVar("T")
IDLE: Final = 3.0  # seconds after which the connection is closed: opening takes 10 ms
LONG_IDLE: Final = 300.0  # the same if computing the allowed matches was slow
_SLOW: Final = 0.1  # seconds
_NOTHING: Final = (0, 0, 0)


class ReviewLedger:
    """Reads the ledger with the current allow rules."""

    def __init__(self, loaded: LoadedSettings) -> None:
        self._loaded = loaded
        self._path = state_folder(loaded.settings) / FILE_NAME
        self._thread = ThreadPoolExecutor(1, "review-ledger")
        self._ledger: Ledger | None = None
        self._file: tuple[int, int] | None = None
        self._used = 0.0
        self._version: int | None = None
        self._today: date | None = None
        self._idle = IDLE
        self._rules = AllowRules()
        self._rules_stamp: tuple[int, int, int] | None = None
        self._noted: frozenset[Rule] | None = None  # the rules behind the table of allowed matches
        self.answers = 0  # the id of the newest answer
        self.generation = 0  # counts changes that affect the queue

    async def read(self, query: Callable[[Ledger], T]) -> T:
        """Call `query` with a consistent state of the ledger, on its thread.

        Raises:
            StorageError: it is gone, or cannot be used.
            UsageError: the allow rules cannot be read.
        """
        result = await asyncio.get_running_loop().run_in_executor(
            self._thread, self._run_query, query
        )
        self._used = time.monotonic()
        return result

    async def release(self) -> None:
        """Close the connection if it was idle for a while."""
        if time.monotonic() - self._used > self._idle:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._close)

    async def aclose(self) -> None:
        """Close the connection and end the thread."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    def _run_query(self, query: Callable[[Ledger], T]) -> T:
        ledger = self._opened()
        try:
            with ledger.transaction():
                self._prepare(ledger)
                return query(ledger)
        except sqlite3.Error as error:
            self._close()
            raise ledger.unusable(error) from error
        except BaseException:
            self._noted = None  # the table was filled in the transaction that was rolled back
            raise

    def _opened(self) -> Ledger:
        """Open the ledger, which may have been replaced by another file."""
        try:
            status = os.stat(self._path)
        except OSError as error:
            self._close()
            raise no_ledger(self._path) from error
        file = (status.st_dev, status.st_ino)
        if self._ledger is None or file != self._file:
            self._close()
            settings = self._loaded.settings
            self._ledger = Ledger.change(self._path.parent, realm_of(settings))
            self._file, self._version, self._noted = file, None, None
        return self._ledger

    def _close(self) -> None:
        if self._ledger is not None:
            with suppress(StorageError, sqlite3.Error):
                self._ledger.close()
            self._ledger = None

    def _prepare(self, ledger: Ledger) -> None:
        """Update which matches are new and which are allowed."""
        queue = ledger.review_queue
        version, rules = queue.data_version(), self._read_rules()
        today = utc_date(time.time())
        if (
            (version, today) == (self._version, self._today)
            and self._noted is not None
            and not rules
        ):
            return
        self._version, self._today = version, today
        self.generation += 1
        active = ActiveAllowRules(self._rules, today)
        ledger.history.own = last_perspective(ledger, active)
        self._note_allowed(queue.allowed, active, queue.newest_answer())

    def _note_allowed(self, noted: AllowedMatches, active: ActiveAllowRules, answers: int) -> None:
        """Update the table of allowed matches, reading only those that may have changed."""
        rules = active.in_force
        began = time.monotonic()
        before = self._noted or frozenset()
        if self._noted is None or not rules:
            noted.clear()
        elif before - rules:
            noted.remove_others(active.allows, scope_of(active.rules))
        if before and answers > self.answers:
            noted.add(active.allows, scope_of(active.rules), self.answers)
        added = AllowRules(rules - before)
        noted.add(ActiveAllowRules(added, active.today).allows, scope_of(added))
        self._noted, self.answers = rules, answers
        if before != rules:
            self._idle = LONG_IDLE if time.monotonic() - began > _SLOW else IDLE

    def _read_rules(self) -> bool:
        """Read the allow rules if their file has changed; returns whether it has."""
        path = allow_file(self._loaded.settings, self._loaded.file)
        stamp = _NOTHING
        if path is not None:
            with suppress(OSError):
                status = os.stat(path)
                stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
        if stamp == self._rules_stamp:
            return False
        self._rules = load_rules(self._loaded.settings, self._loaded.file)
        self._rules_stamp = stamp
        return True
