"""Comparing the files of a family: by their thumbnails, then closely by their pixels."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from batchscan.engines.interface import Engine
from batchscan.errors import StopRun
from batchscan.images.comparing import Content
from batchscan.ledger.rendition_files import RenditionFile
from batchscan.ledger.rendition_verdicts import Verdicts
from batchscan.pipeline.concurrency import ByteSemaphore
from batchscan.pipeline.rendition_family import Member, compare
from batchscan.pipeline.rendition_plan import AT_ONCE
from batchscan.pipeline.shutdown import Shutdown
from batchscan.renditions.grouping import Group
from batchscan.renditions.rule import RULE

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CloseComparison:
    """Compares files on the engine's threads or workers."""

    engine: Engine
    bytes_in_flight: ByteSemaphore
    max_bytes: int  # of a file that are read
    stop: Shutdown

    async def tie(
        self, group: Group, members: Mapping[int, Member], verdicts: Verdicts, *, counting: bool
    ) -> None:
        """Tie the members by their thumbnails, and keep the ties that a close comparison confirms.

        Another tie may take the place of one that is not confirmed, so this is repeated.
        """
        apart, looked = set[frozenset[str]](), set[frozenset[str]]()
        while True:
            await asyncio.to_thread(
                compare, group, members, verdicts, self.stop, counting=counting, apart=apart
            )
            found = _by_pixels(members.values())
            fresh = {pair: files for pair, files in found.items() if pair not in looked}
            if not fresh:
                return
            looked.update(fresh)
            results = await gathered(self._deviation(*files) for files in fresh.values())
            apart.update(pair for pair, far in zip(fresh, results, strict=True) if far > 1)

    async def _deviation(self, one: RenditionFile, other: RenditionFile) -> float:
        """How far two files are from being versions; a run that stops compares no more."""
        if self.stop:
            return math.inf
        files = [Content((each.candidate, *each.elsewhere), each.sha256) for each in (one, other)]
        sizes = (each.candidate.stat.size for each in (one, other) if each.candidate.stat)
        try:
            async with self.bytes_in_flight.hold(sum(min(size, self.max_bytes) for size in sizes)):
                return await self.engine.deviation(*files)
        except StopRun as reason:
            self.stop.request(reason)
            return math.inf


def _by_pixels(members: Iterable[Member]) -> dict[frozenset[str], list[RenditionFile]]:
    """The files of each pair of contents that are one picture by their thumbnails."""
    return {
        frozenset((member.file.sha256, other.file.sha256)): [other.file, member.file]
        for member in members
        for other, found in member.ties
        if found.rule == RULE
    }


async def gathered(work: Iterable[Coroutine[None, None, T]]) -> list[T]:
    """Run coroutines, a few at a time; raises the first error."""
    done: list[T] = []
    pending = iter(work)
    while some := list(islice(pending, AT_ONCE)):
        for result in await asyncio.gather(*some, return_exceptions=True):
            if isinstance(result, BaseException):
                for rest in pending:
                    rest.close()
                raise result
            done.append(result)
    return done
