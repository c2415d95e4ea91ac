"""One recheck: each chosen match asked once, at its sites' pace, and entered as soon as it was."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

from batchscan.enums import RecheckVerdict
from batchscan.ledger import LedgerThread
from batchscan.ledger.dispositions import MatchKey
from batchscan.ledger.recheck_types import MatchToCheck, RecheckChoice
from batchscan.pace import Clock
from batchscan.recheck.checker import Checker
from batchscan.web_client import Stopped

_UNDER_WAY: Final = 24  # matches at once: each may hold a picture of 20 MB


@dataclass(slots=True)
class RecheckProgress:
    """How far a recheck is."""

    total: int = 0
    done: int = 0
    verdicts: Counter[RecheckVerdict] = field(default_factory=Counter)  # of pictures
    resumed: bool = False  # it goes on where an interrupted one stopped
    run: int = 0  # its number in the ledger


@dataclass(frozen=True, slots=True)
class RecheckRules:
    """What a recheck goes by."""

    gone_after: float = 86_400.0  # seconds between two answers that something is gone
    resume_within: float = 3_600.0  # seconds since an interrupted one


class RecheckRun:
    """Asks about matches.

    Args:
        ledger: what is known, and where it is entered.
        checker: asks.
        clock: seconds since 1970 for what is entered.
        stop: when set, nothing new is begun.
        rules: when something is gone, and what is gone on with.
    """

    def __init__(
        self,
        ledger: LedgerThread,
        checker: Checker,
        clock: Clock,
        stop: asyncio.Event,
        rules: RecheckRules | None = None,
    ) -> None:
        self._ledger = ledger
        self._checker = checker
        self._clock = clock
        self._stop = stop
        self._rules = rules or RecheckRules()
        self.progress = RecheckProgress()

    async def run(self, choice: RecheckChoice, name: str) -> None:
        """Ask about all that is chosen, until it is done or is to stop.

        Args:
            choice: which matches.
            name: the choice as it was written: by it an interrupted recheck is known again.

        Raises:
            StorageError: the ledger cannot be written; what was entered before stays.
        """
        now = self._clock.wall()
        since = now - self._rules.resume_within
        run, resumed = await self._ledger.run(
            lambda ledger: ledger.rechecks.begin(name, now, since)
        )
        self.progress.run, self.progress.resumed = run, resumed
        self.progress.total = sum([1 async for _ in self._chosen(choice, run)])
        slots = asyncio.Semaphore(_UNDER_WAY)
        async with asyncio.TaskGroup() as group:
            async for match in self._chosen(choice, run):
                await slots.acquire()
                if self._stop.is_set():
                    break
                group.create_task(self._ask(match, slots))
        if not self._stop.is_set():
            await self._ledger.run(lambda ledger: ledger.rechecks.end(run, self._clock.wall()))

    async def _chosen(self, choice: RecheckChoice, run: int) -> AsyncIterator[MatchToCheck]:
        """What is still to be asked about, block by block."""
        reached: MatchKey | None = MatchKey()
        while reached is not None:
            after = reached
            block = await self._ledger.run(
                lambda ledger, after=after: ledger.rechecks.block(choice, after, run)  # type: ignore[misc]
            )
            for match in block.matches:
                yield match
            reached = block.reached

    async def _ask(self, match: MatchToCheck, slots: asyncio.Semaphore) -> None:
        """Ask about one match and enter what came of it; nothing of one that is not whole."""
        place, run = match.place, self.progress.run
        try:
            reference = await self._ledger.run(lambda ledger: ledger.rechecks.reference(place))
            seen, their = await self._checker.check(match, reference)
            verdicts = await self._ledger.run(
                lambda ledger: ledger.rechecks.record(
                    run, place, seen, their, self._rules.gone_after
                )
            )
        except Stopped:
            return
        finally:
            slots.release()
        self.progress.done += 1
        self.progress.verdicts[verdicts[0]] += 1
