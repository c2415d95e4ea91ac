"""Rechecking matches at their sites: for `recheck` and for `review`."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    closing,
    contextmanager,
    nullcontext,
)
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import msgspec

from batchscan.commands.decisions import decide
from batchscan.commands.recheck_progress import show
from batchscan.commands.scan import handle_stop_signals
from batchscan.enums import Disposition, RecheckVerdict
from batchscan.errors import UsageError
from batchscan.images.decoding.pool import Decoders
from batchscan.ledger import Ledger, LedgerThread
from batchscan.ledger.decision_types import SeenMatch
from batchscan.ledger.dispositions import MATCHES_A_PIECE
from batchscan.ledger.match_rows import MatchKey
from batchscan.ledger.recheck_types import CheckedMatch, RecheckChoice
from batchscan.pace import Clock, SystemClock
from batchscan.path_patterns import PathPattern
from batchscan.recheck.checker import Checker, Sizes
from batchscan.recheck.run import RecheckProgress, RecheckRules, RecheckRun
from batchscan.settings import Settings
from batchscan.settings.locations import state_folder
from batchscan.state.access import LOCK_POLL, read_ledger, realm_of, require_ledger
from batchscan.state.lock import StateLock
from batchscan.url_patterns import UrlPattern
from batchscan.util.timestamps import rfc3339
from batchscan.web_client import ConnectTo, FetchLimits, WebClient

TASK: Final = "recheck"
"""The name of the lock: two rechecks at once would ask each site twice as often."""

_CLOSED: Final = frozenset(
    {Disposition.OPEN, Disposition.REVIEWED, Disposition.NOTICED}
)  # what `removed` may follow


@dataclass(frozen=True, slots=True)
class RecheckRequest:
    """Which matches to check, and how."""

    disposition: Disposition | None = None  # None: `noticed`, or any where a URL is named
    domains: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    mark: bool = False
    connect_to: tuple[str, ...] = ()
    place: MatchKey | None = None  # of the one match that is meant

    @property
    def name(self) -> str:
        """The choice as it was written."""
        choice = (self.disposition, self.domains, self.images, self.urls)
        return msgspec.json.encode((*choice, self.place) if self.place else choice).decode()

    def choice(self) -> RecheckChoice:
        """Understand it.

        Raises:
            UsageError: a pattern is broken.
        """
        globs = [PathPattern.of(text) for text in self.images]
        sites = [UrlPattern.of(text) for text in self.domains]
        urls = [UrlPattern.of(text) for text in self.urls]

        def pictures(paths: Sequence[bytes]) -> bool:
            return any(glob.covers(path) for glob in globs for path in paths)

        def chosen(url: str) -> bool:
            return all(
                any(pattern.covers(url) for pattern in patterns)
                for patterns in (sites, urls)
                if patterns
            )

        wanted = self.disposition or (None if urls or self.place else Disposition.NOTICED)
        words = None if wanted is None else frozenset({wanted})
        return RecheckChoice(words, chosen, pictures if globs else None, self.place)


@dataclass(frozen=True, slots=True)
class RecheckResult:
    """The matches that a recheck has asked about, and what it changed."""

    matches: tuple[CheckedMatch, ...]
    marked: int
    resumed: bool
    signal: int | None = None  # by which it was interrupted

    @property
    def counts(self) -> Counter[RecheckVerdict]:
        """Pictures by their verdict."""
        return Counter(match.picture.verdict for match in self.matches)

    @property
    def page_counts(self) -> Counter[RecheckVerdict]:
        """Pages by their verdict; one that shows two pictures counts twice."""
        return Counter(page.verdict for match in self.matches for page in match.pages)

    @property
    def exit_code(self) -> int:
        """0; 3 if a verdict is unknown; 128 plus the signal if it was interrupted."""
        if self.signal is not None:
            return 128 + self.signal
        unknown = RecheckVerdict.UNKNOWN
        return 3 if self.counts[unknown] or self.page_counts[unknown] else 0


Observer: TypeAlias = Callable[[RecheckProgress], AbstractAsyncContextManager[None]]
"""Makes the context in which a recheck works; gets its progress, which changes meanwhile."""


async def recheck(
    settings: Settings,
    request: RecheckRequest,
    clock: Clock | None = None,
    decoders: Decoders | None = None,
    *,
    stop: asyncio.Event | None = None,
    observer: Observer | None = None,
) -> RecheckResult:
    """Check the chosen matches at their sites and store the results; works during a scan.

    Args:
        settings: which ledger, and how sites are asked.
        request: which matches.
        clock: returns seconds since 1970, and sleeps.
        decoders: processes for decoding; closed by their owner.
        stop: when set, no new match is started.
        observer: is entered when the ledger is open, and left when all matches are checked.

    Raises:
        UsageError: nothing of the kind is known, or a pattern is broken.
        LockedError: another recheck is running.
        StorageError: the ledger cannot be used.
    """
    clock, stop = clock or SystemClock(), stop or asyncio.Event()
    choice = request.choice()
    rules = ConnectTo.of(request.connect_to)
    require_ledger(settings)  # before a lock is made beside it
    _refuse_unknown(settings, request, choice)
    async with _held(settings), _ledger(settings) as ledger:
        with _decoding(decoders) as processes:
            one = _recheck(settings, ledger, processes, rules, clock, stop)
            async with observer(one.progress) if observer else nullcontext():
                await one.run(choice, request.name)
        matches, marked = await _concluded(ledger, one.progress, mark=request.mark)
    return RecheckResult(matches, marked, one.progress.resumed)


async def recheck_from_terminal(
    settings: Settings,
    request: RecheckRequest,
    clock: Clock | None = None,
    decoders: Decoders | None = None,
) -> RecheckResult:
    """The same with progress on stderr; a stop signal ends it after the requests in progress.

    Raises:
        UsageError: nothing of the kind is known, or a pattern is broken.
        LockedError: another recheck is running.
        StorageError: the ledger cannot be used.
    """
    signals: list[int] = []
    stop = asyncio.Event()

    def interrupt(number: int) -> None:
        signals.append(number)
        stop.set()

    @asynccontextmanager
    async def observer(progress: RecheckProgress) -> AsyncIterator[None]:
        with handle_stop_signals(interrupt):
            async with show(lambda: progress, settings.output):
                yield

    result = await recheck(settings, request, clock, decoders, stop=stop, observer=observer)
    return replace(result, signal=signals[0] if signals else None)


@contextmanager
def _decoding(decoders: Decoders | None) -> Iterator[Decoders]:
    if decoders is not None:
        yield decoders
        return
    with closing(Decoders()) as own:
        yield own


def _recheck(
    settings: Settings,
    ledger: LedgerThread,
    decoders: Decoders,
    rules: ConnectTo,
    clock: Clock,
    stop: asyncio.Event,
) -> RecheckRun:
    how = settings.recheck
    client = WebClient(
        connect_to=rules, limits=FetchLimits(how.timeout, how.pause), clock=clock, stop=stop
    )
    checker = Checker(client, decoders, clock.wall, Sizes(how.max_picture, how.max_page))
    return RecheckRun(ledger, checker, clock, stop, RecheckRules(how.gone_after, how.resume_within))


async def _concluded(
    ledger: LedgerThread, progress: RecheckProgress, *, mark: bool
) -> tuple[tuple[CheckedMatch, ...], int]:
    """Everything that was asked, and how many were marked as removed."""
    matches = await ledger.run(lambda ledger: tuple(ledger.rechecks.of_run(progress.run)))
    if not mark:
        return matches, 0
    gone = [
        match
        for match in matches
        if match.picture.verdict is RecheckVerdict.GONE and match.disposition in _CLOSED
    ]
    marked = 0
    for start in range(0, len(gone), MATCHES_A_PIECE):
        marked += await _mark(ledger, gone[start : start + MATCHES_A_PIECE])
    matches = await ledger.run(lambda ledger: tuple(ledger.rechecks.of_run(progress.run)))
    return matches, marked


async def _mark(ledger: LedgerThread, gone: Sequence[CheckedMatch]) -> int:
    since = min(match.gone_since or match.picture.checked_at for match in gone)
    note = f"recheck: gone from its site since {rfc3339(since)}"
    decision = decide(Disposition.REMOVED, "recheck", note)
    seen = [SeenMatch(match.place, match.disposition) for match in gone]

    def enter(opened: Ledger) -> int:
        return len(opened.dispositions.mark_seen(seen, decision).changed)

    return await ledger.run(enter)


def _refuse_unknown(settings: Settings, request: RecheckRequest, choice: RecheckChoice) -> None:
    """Refuse sites and URLs without any known match, as they are probably mistyped.

    Raises:
        UsageError: it says which.
    """
    if not (request.domains or request.urls):
        return
    anything = RecheckChoice(None, choice.chosen, None)
    with read_ledger(settings) as ledger:
        if next(_matches(ledger, anything), None) is None:
            named = " ".join((*request.domains, *request.urls))
            raise UsageError(
                f"no match is known at {named}: nothing was checked",
                advice="`batchscan report --all` lists all matches",
            )


def _matches(ledger: Ledger, choice: RecheckChoice) -> Iterator[object]:
    block = ledger.rechecks.block(choice, None, None)
    yield from block.matches
    while block.reached is not None:
        block = ledger.rechecks.block(choice, block.reached, None)
        yield from block.matches


@asynccontextmanager
async def _held(settings: Settings) -> AsyncIterator[None]:
    lock = StateLock(state_folder(settings), settings.scan.if_locked, TASK)
    while not lock.acquire():  # noqa: ASYNC110 - another process holds it
        await asyncio.sleep(LOCK_POLL)
    try:
        yield
    finally:
        lock.release()


@asynccontextmanager
async def _ledger(settings: Settings) -> AsyncIterator[LedgerThread]:
    opened = await asyncio.to_thread(Ledger.change, state_folder(settings), realm_of(settings))
    ledger = LedgerThread(opened)
    try:
        yield ledger
    finally:
        await ledger.aclose()
