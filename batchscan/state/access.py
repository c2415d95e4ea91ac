"""Opening the ledger of some settings: for reading, for decisions, or with the state lock."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

from batchscan.errors import StorageError
from batchscan.ledger import FILE_NAME, Ledger, LedgerThread, Realm
from batchscan.ledger.backup import no_ledger, stamp
from batchscan.ledger.integrity import ODD
from batchscan.settings import Settings
from batchscan.settings.locations import state_folder
from batchscan.state.crash_marks import CrashMarks
from batchscan.state.lock import StateLock, make_private_folder
from batchscan.util.escaping import printable

LOCK_POLL = 1.0  # seconds between two attempts with --if-locked wait
log = logging.getLogger(__name__)

StillLocked: TypeAlias = Callable[[], None]


def require_ledger(settings: Settings) -> Path:
    """The ledger of these settings.

    Raises:
        UsageError: there is no home folder, and no state folder is set.
        StorageError: there is none.
    """
    path = state_folder(settings) / FILE_NAME
    if not path.exists():
        raise no_ledger(path)
    return path


@contextmanager
def read_ledger(settings: Settings, *, may_be_absent: bool = False) -> Iterator[Ledger]:
    """Open the ledger of these settings for reading, in one consistent state.

    Args:
        settings: state folder and realm.
        may_be_absent: whether to return an empty one if nothing was scanned yet.

    Raises:
        UsageError: there is no home folder, and no state folder is set.
        StorageError: there is no ledger, or it cannot be used.
    """
    if not may_be_absent:
        require_ledger(settings)
    opened = Ledger.read(state_folder(settings), realm_of(settings), nearest=True)
    with _explaining_errors(opened) as ledger, _undisturbed(ledger.path), ledger.transaction():
        yield ledger


@contextmanager
def _undisturbed(path: Path) -> Iterator[None]:
    """Raise an error if the ledger was written meanwhile by a process that did not see our locks.

    That can happen in a folder that this user cannot write to, where no lock can be made.
    """
    can_lock = os.access(path.parent, os.W_OK) and os.access(path, os.W_OK)
    before = stamp(path) if path.exists() and not can_lock else None
    trouble: sqlite3.Error | None = None
    try:
        yield
    except sqlite3.Error as error:
        trouble = error
    if before is not None and stamp(path) != before:
        raise StorageError(
            f"a scan began to write the ledger {path} while it was read",
            advice="run the command again",
        ) from trouble
    if trouble is not None:
        raise trouble


@contextmanager
def open_for_change(settings: Settings) -> Iterator[Ledger]:
    """Open the ledger of these settings to enter decisions, in short transactions.

    Raises:
        UsageError: there is no home folder, and no state folder is set.
        StorageError: there is no ledger, or it cannot be used.
    """
    with _explaining_errors(Ledger.change(state_folder(settings), realm_of(settings))) as ledger:
        yield ledger


@contextmanager
def hold_state_lock(settings: Settings) -> Iterator[None]:
    """Hold the lock of the state folder, so that no scan can run.

    Raises:
        UsageError: there is no home folder, and no state folder is set.
        LockedError: a run holds it.
        StorageError: there is no ledger in it, or the lock cannot be made.
    """
    state = require_ledger(settings).parent
    lock = StateLock(state, settings.scan.if_locked)
    if not lock.acquire():
        log.warning("waiting for another run of %s to end", state)
        while not lock.acquire():
            time.sleep(LOCK_POLL)
    try:
        yield
    finally:
        lock.release()


def realm_of(settings: Settings) -> Realm:
    """The realm of the settings."""
    return Realm(settings.api.url, settings.api.sandbox)


@contextmanager
def _explaining_errors(opened: Ledger) -> Iterator[Ledger]:
    with closing(opened) as ledger:
        try:
            yield ledger
        except sqlite3.Error as error:
            raise ledger.unusable(error) from error
        except (*ODD, zlib.error) as error:
            raise ledger.explained(error) from error


@dataclass(frozen=True, slots=True)
class OpenState:
    """A state folder that a scan has open."""

    folder: Path
    ledger: LedgerThread
    marks: CrashMarks | None  # None in a dry run
    still_locked: StillLocked  # raises StorageError if the lock is not held any more


@asynccontextmanager
async def open_state(
    settings: Settings,
    folder: Path,
    sleep: Callable[[float], Awaitable[object]],
    *,
    record_events: bool,
) -> AsyncIterator[OpenState]:
    """Lock the state folder, and open what is in it; a dry run only reads.

    Args:
        settings: of the run.
        folder: the state folder.
        sleep: waits some seconds for the lock.
        record_events: whether to record match events for alerts.

    Raises:
        LockedError: another run holds the lock.
        StorageError: the folder cannot be written, or the ledger cannot be used.
    """
    async with (
        hold_state(settings, folder, sleep) as still_locked,
        _open_marks(settings, folder) as marks,
        _open_ledger(settings, folder, record_events=record_events) as ledger,
    ):
        yield OpenState(folder, ledger, marks, still_locked)


@asynccontextmanager
async def hold_state(
    settings: Settings, state: Path, sleep: Callable[[float], Awaitable[object]]
) -> AsyncIterator[StillLocked]:
    """Hold the lock of the state folder, except in a dry run, which writes nothing there.

    Yields a function that raises StorageError if the lock is not held any more.

    Raises:
        LockedError: another run holds it.
        StorageError: it cannot be written.
    """
    if settings.dry_run:
        yield lambda: None
        return
    make_private_folder(state)
    lock = StateLock(state, settings.scan.if_locked)
    if not lock.acquire():
        log.warning("waiting for another run of %s to end", state)
        while not lock.acquire():
            await sleep(LOCK_POLL)
    try:
        yield lock.check
    finally:
        lock.release()


@asynccontextmanager
async def _open_marks(settings: Settings, state: Path) -> AsyncIterator[CrashMarks | None]:
    if settings.dry_run:
        yield None
        return
    with closing(await asyncio.to_thread(CrashMarks, state)) as marks:
        yield marks


@asynccontextmanager
async def _open_ledger(
    settings: Settings, state: Path, *, record_events: bool
) -> AsyncIterator[LedgerThread]:
    """Open the ledger on its thread."""
    opener = Ledger.read if settings.dry_run else partial(Ledger.open, record_events=record_events)
    ledger = LedgerThread(await asyncio.to_thread(opener, state, realm_of(settings)))
    try:
        similar = await ledger.run(lambda ledger: ledger.similar_realm())
        if similar is not None:
            log.warning(
                "no picture has been sent to %s before. If it is the same service as %s, use that "
                "address again, or every picture is paid for again",
                printable(settings.api.url),
                printable(similar),
            )
        yield ledger
    finally:
        await ledger.aclose()
