"""What a run holds on to: the state folder, the ledger, and where its files come from."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import TypeAlias

from batchscan.escape import printable
from batchscan.images.signature import SEEN_EXTENSIONS
from batchscan.ledger import Ledger, LedgerThread, Realm
from batchscan.paths import is_url
from batchscan.settings import Settings
from batchscan.steps.crash import CheckMarks
from batchscan.steps.state import StateLock, make_private_folder
from batchscan.steps.stop import Stop
from batchscan.stores import using
from batchscan.walk import Finder, Listing, RemoteWalk, Walk

LOCK_POLL = 1.0  # seconds between two tries of --if-locked wait
log = logging.getLogger(__name__)

StillLocked: TypeAlias = Callable[[], None]


@asynccontextmanager
async def locked(settings: Settings, state: Path, stop: Stop) -> AsyncIterator[StillLocked]:
    """Hold the state folder; a dry run writes nothing there and holds nothing.

    Gives what looks whether it is still held, and raises StorageError where it is not.

    Raises:
        LockedError: another run holds it.
        StorageError: it cannot be written.
    """
    if settings.dry_run:  # writes nothing there
        yield lambda: None
        return
    make_private_folder(state)
    lock = StateLock(state, settings.scan.if_locked)
    if not lock.acquire():
        log.warning("waiting for another run of %s to end", state)
        while not lock.acquire():
            await stop.sleep(LOCK_POLL)
    try:
        yield lock.check
    finally:
        lock.release()


@asynccontextmanager
async def check_marks(settings: Settings, state: Path) -> AsyncIterator[CheckMarks | None]:
    """The marks of files that are being checked; None in a dry run.

    Raises:
        StorageError: the state folder cannot be written.
    """
    if settings.dry_run:
        yield None
        return
    with closing(await asyncio.to_thread(CheckMarks, state)) as marks:
        yield marks


@asynccontextmanager
async def ledger_of(settings: Settings, state: Path) -> AsyncIterator[LedgerThread]:
    """The ledger, on its thread; a dry run only reads it.

    Raises:
        StorageError: it cannot be used.
    """
    realm = Realm(settings.api.url, settings.api.sandbox)
    opener = Ledger.read if settings.dry_run else Ledger.open
    ledger = LedgerThread(await asyncio.to_thread(opener, state, realm))
    try:
        other = await ledger.do(lambda ledger: ledger.akin())
        if other is not None:
            log.warning(
                "nothing was asked at %s yet; if it is the same service as %s,"
                " go on with that address: else every picture is paid for again",
                printable(settings.api.url),
                printable(other),
            )
        yield ledger
    finally:
        await ledger.aclose()


@asynccontextmanager
async def stores_in_use() -> AsyncIterator[None]:
    """Keep open what is opened of stores, and close it at the end."""
    stores = using()
    stores.__enter__()
    try:
        yield
    finally:
        await asyncio.to_thread(stores.__exit__, None, None, None)


def walks_of(settings: Settings, state: Path) -> Sequence[Finder]:
    """Everything that is to be scanned."""
    walks: list[Finder] = []
    folders = [root for root in settings.roots if not is_url(root)]
    urls = [root for root in settings.roots if is_url(root)]
    if folders:
        never = (str(state), settings.output.directory)
        walks.append(Walk(folders, settings.scan, extensions=SEEN_EXTENSIONS, never=never))
    if urls:
        walks.append(RemoteWalk(urls, settings.scan, extensions=SEEN_EXTENSIONS))
    if settings.files_from is not None:
        walks.append(Listing(settings.files_from))
    if settings.files0_from is not None:
        walks.append(Listing(settings.files0_from, nul=True))
    return walks
