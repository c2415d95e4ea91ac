"""Capturing matches: for `evidence capture` and for the button in `review`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace

from batchscan.capture.capture_files import SUFFIX
from batchscan.capture.capturer import Browser, Capturer
from batchscan.capture.trusted_timestamps import TimestampAuthority, TimestampError
from batchscan.commands.decisions import user_name
from batchscan.commands.scan import handle_stop_signals
from batchscan.errors import StorageError
from batchscan.images.decoding.pool import Decoders
from batchscan.ledger import Ledger, LedgerThread
from batchscan.ledger.captures import CaptureFile
from batchscan.ledger.match_choice import ChosenMatch, MatchChoice
from batchscan.ledger.match_rows import MatchKey
from batchscan.settings import Settings
from batchscan.settings.locations import state_folder
from batchscan.state.access import realm_of
from batchscan.util.atomic_file import write_atomic
from batchscan.web_client import ConnectTo, FetchLimits, Stopped, WebClient

AT_ONCE = 4  # matches; each host is asked by one at a time


@dataclass(frozen=True, slots=True)
class CaptureOptions:
    """How matches are captured."""

    connect_to: ConnectTo = field(default_factory=ConnectTo)
    authority: TimestampAuthority | None = None
    browser: Browser | None = None


@dataclass(frozen=True, slots=True)
class Captured:
    """A match that was captured, and what was not to be had."""

    match: ChosenMatch
    file: CaptureFile
    path: str
    trouble: str | None = None  # with the timestamp


async def capture_match(
    settings: Settings, place: MatchKey, options: CaptureOptions | None = None
) -> Captured | None:
    """Capture one match into the state folder and the ledger; None if there is no such match.

    Raises:
        StorageError: the file or the ledger cannot be written.
    """
    async with _desk(settings, options or CaptureOptions()) as desk:
        match = await desk.ledger.run(lambda ledger: ledger.chosen_matches.one(place))
        return None if match is None else await desk.capture(match)


async def capture_matches(
    settings: Settings,
    choice: MatchChoice,
    options: CaptureOptions,
    report: Callable[[Captured], None],
    stop: asyncio.Event | None = None,
) -> int:
    """Capture all chosen matches; returns their number.

    Args:
        settings: which state folder.
        choice: which matches.
        options: how.
        report: gets each one when it is in the ledger.
        stop: when set, nothing more is asked for; what is not whole by then is left out.

    Raises:
        StorageError: a file or the ledger cannot be written.
    """
    async with _desk(settings, options, stop) as desk:
        chosen = await desk.ledger.run(lambda ledger: list(ledger.chosen_matches.find(choice)))
        waiting = iter(chosen)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(AT_ONCE, len(chosen))):
                    group.create_task(_work(desk, waiting, report))
        except* StorageError as errors:
            raise errors.exceptions[0] from None
        return len(chosen)


async def capture_until_stopped(
    settings: Settings,
    choice: MatchChoice,
    options: CaptureOptions,
    report: Callable[[Captured], None],
) -> tuple[int, int | None]:
    """The same for a command: how many there were, and the number of the signal that stopped it.

    Raises:
        StorageError: a file or the ledger cannot be written.
    """
    stop = asyncio.Event()
    signals: list[int] = []

    def interrupt(number: int) -> None:
        signals.append(number)
        stop.set()

    with handle_stop_signals(interrupt):
        number = await capture_matches(settings, choice, options, report, stop)
    return number, signals[0] if signals else None


async def _work(
    desk: _Desk, waiting: Iterator[ChosenMatch], report: Callable[[Captured], None]
) -> None:
    with suppress(Stopped):
        for match in waiting:
            report(await desk.capture(match))


@dataclass(frozen=True, slots=True)
class _Desk:
    """The ledger, capturer and timestamp authority of a capture."""

    ledger: LedgerThread
    capturer: Capturer
    authority: TimestampAuthority | None

    async def capture(self, match: ChosenMatch) -> Captured:
        """Capture a match, have it stamped, and enter it."""
        place = match.place
        reference = await self.ledger.run(lambda ledger: ledger.rechecks.reference(place))
        file, trouble = await self.capturer.capture(match, reference), None
        path = self.capturer.path_of(file.name)
        if self.authority is not None:
            try:
                file = await self._stamped(file, path, self.authority)
            except TimestampError as error:
                trouble = str(error)
            else:
                stamp = file.timestamp
                if stamp is not None and stamp.at is None:
                    trouble = "the timestamp could not be read here; openssl may be able to"
        await self.ledger.run(lambda ledger: ledger.captures.add(place, file))
        return Captured(match, file, path, trouble)

    async def _stamped(
        self, file: CaptureFile, path: str, authority: TimestampAuthority
    ) -> CaptureFile:
        data = await asyncio.to_thread(_read, path)
        stamp = await authority.stamp(data)
        await asyncio.to_thread(write_atomic, f"{path}{SUFFIX}", [stamp.response])
        return replace(file, timestamp=stamp)


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


@asynccontextmanager
async def _desk(
    settings: Settings, options: CaptureOptions, stop: asyncio.Event | None = None
) -> AsyncIterator[_Desk]:
    state = state_folder(settings)
    ledger = LedgerThread(Ledger.change(state, realm_of(settings)))
    decoders = Decoders()
    try:
        limits = FetchLimits(settings.recheck.timeout, settings.recheck.pause)
        capturer = Capturer(
            WebClient(connect_to=options.connect_to, limits=limits, stop=stop),
            decoders,
            str(state),
            user_name(),
            time.time,
            browser=options.browser,
        )
        yield _Desk(ledger, capturer, options.authority)
    finally:
        await asyncio.to_thread(decoders.close)
        await ledger.aclose()
