"""A recheck run: each chosen match is checked once, and its result is stored immediately."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

from batchscan.enums import RecheckVerdict
from batchscan.ledger import LedgerThread
from batchscan.ledger.match_rows import MatchKey
from batchscan.ledger.recheck_types import MatchToCheck, RecheckChoice
from batchscan.pace import Clock
from batchscan.recheck.checker import Checker
from batchscan.web_client import Stopped

_MAX_CONCURRENT: Final = 24  # matches: each may need memory for a picture of 20 MB


@dataclass(slots=True)
class RecheckProgress:
    """How far a recheck is."""

    total: int = 0
    done: int = 0
    verdicts: Counter[RecheckVerdict] = field(default_factory=Counter)  # of pictures
    resumed: bool = False  # it continues an interrupted run
    run: int = 0  # its id in the ledger


@dataclass(frozen=True, slots=True)
class RecheckRules:
    """The time rules of a recheck."""

    gone_after: float = 86_400.0  # seconds for which something must be missing to count as gone
    resume_within: float = 3_600.0  # seconds after which an interrupted run is not continued


class RecheckRun:
    """Checks matches.

    Args:
        ledger: has the matches and stores the results.
        checker: checks one match.
        clock: returns seconds since 1970.
        stop: when set, no new match is started.
        rules: the time rules.
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
        """Check all chosen matches, until done or stopped.

        Args:
            choice: which matches.
            name: the choice as text, by which an interrupted run is recognized.

        Raises:
            StorageError: the ledger cannot be written; earlier results stay.
        """
        now = self._clock.wall()
        since = now - self._rules.resume_within
        run, resumed = await self._ledger.run(
            lambda ledger: ledger.rechecks.begin(name, now, since)
        )
        self.progress.run, self.progress.resumed = run, resumed
        self.progress.total = sum([1 async for _ in self._chosen(choice, run)])
        slots = asyncio.Semaphore(_MAX_CONCURRENT)
        async with asyncio.TaskGroup() as group:
            async for match in self._chosen(choice, run):
                await slots.acquire()
                if self._stop.is_set():
                    break
                group.create_task(self._ask(match, slots))
        if not self._stop.is_set():
            await self._ledger.run(lambda ledger: ledger.rechecks.end(run, self._clock.wall()))

    async def _chosen(self, choice: RecheckChoice, run: int) -> AsyncIterator[MatchToCheck]:
        """The matches that are still to be checked, block by block."""
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
        """Check one match and store its result, unless it is incomplete."""
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
