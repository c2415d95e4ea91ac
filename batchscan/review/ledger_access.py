"""The ledger as the page reads it: one connection on a thread of its own, given back when idle.

What people decide goes through connections of its own (`actions`), each open only that long, so
that neither windows nor a scan wait for one another.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final, TypeVar

from batchscan.allow import AllowRules, load_rules
from batchscan.allow.active import ActiveAllowRules
from batchscan.errors import StorageError
from batchscan.ledger import FILE_NAME, Ledger
from batchscan.ledger.backup import no_ledger
from batchscan.runs.reports import look_from_last
from batchscan.settings.load import LoadedSettings
from batchscan.settings.locations import allow_file, state_folder
from batchscan.state.access import realm_of
from batchscan.util.timestamps import utc_date

T = TypeVar("T")
IDLE: Final = 3.0  # seconds after which the connection is given back: opening takes 10 ms
LONG_IDLE: Final = 300.0  # where rules about any site are looked at anew: 200,000 matches take 2 s
_NOTHING: Final = (0, 0, 0)


class ReviewLedger:
    """Reads the ledger of some settings, with what the allow rules say now."""

    def __init__(self, loaded: LoadedSettings) -> None:
        self._loaded = loaded
        self._path = state_folder(loaded.settings) / FILE_NAME
        self._thread = ThreadPoolExecutor(1, "review-ledger")
        self._ledger: Ledger | None = None
        self._file: tuple[int, int] | None = None
        self._used = 0.0
        self._version: int | None = None
        self._rules = AllowRules()
        self._rules_stamp: tuple[int, int, int] | None = None
        self._noted: object = None  # what the noted allowed matches follow from
        self.answers = 0  # the number of the newest
        self.generation = 0  # counts up with everything that changes what is in the queue

    async def read(self, look: Callable[[Ledger], T]) -> T:
        """Look at the ledger as it is at one moment, on its thread.

        Raises:
            StorageError: it is gone, or cannot be used.
            UsageError: the allow rules cannot be read.
        """
        found = await asyncio.get_running_loop().run_in_executor(self._thread, self._look, look)
        self._used = time.monotonic()
        return found

    async def release(self) -> None:
        """Give the connection back if nobody has used it for a while."""
        idle = LONG_IDLE if None in _domains(self._rules) else IDLE
        if time.monotonic() - self._used > idle:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._close)

    async def aclose(self) -> None:
        """Close the connection and end the thread."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    def _look(self, look: Callable[[Ledger], T]) -> T:
        ledger = self._opened()
        try:
            with ledger.transaction():
                self._prepare(ledger)
                return look(ledger)
        except sqlite3.Error as error:
            self._close()
            raise ledger.unusable(error) from error

    def _opened(self) -> Ledger:
        """The ledger that is there now: another one may have been put in its place."""
        try:
            found = os.stat(self._path)
        except OSError as error:
            self._close()
            raise no_ledger(self._path) from error
        file = (found.st_dev, found.st_ino)
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
        """Bring up to date what is new and what is allowed."""
        queue = ledger.review_queue
        version, rules = queue.data_version(), self._read_rules()
        today = utc_date(time.time())
        if version == self._version and self._noted is not None and not rules:
            return
        self._version = version
        self.generation += 1
        active = ActiveAllowRules(self._rules, today)
        look_from_last(ledger, active)
        state, answers = (self._rules_stamp, today), queue.newest_answer()
        if state != self._noted:
            queue.note_allowed(active.allows, _domains(self._rules))
        elif answers > self.answers:
            queue.note_allowed(active.allows, _domains(self._rules), self.answers)
        self._noted, self.answers = state, answers

    def _read_rules(self) -> bool:
        """Read the allow rules where their file has changed; says whether it has."""
        path = allow_file(self._loaded.settings, self._loaded.file)
        stamp = _NOTHING
        if path is not None:
            with suppress(OSError):
                found = os.stat(path)
                stamp = (found.st_ino, found.st_size, found.st_mtime_ns)
        if stamp == self._rules_stamp:
            return False
        self._rules = load_rules(self._loaded.settings, self._loaded.file)
        self._rules_stamp = stamp
        return True


def _domains(rules: AllowRules) -> list[str | None]:
    """The sites that rules speak of; None where one may speak of any."""
    return [rule.target.domain if rule.target else None for rule in rules.rules]
