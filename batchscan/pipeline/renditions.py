"""Which pictures of a run are versions of one, and in which order they are decided.

All files are inspected first. Those that may be one picture form a family, the best first; their
thumbnails confirm that pair by pair. Each member waits for the better ones that it is a version
of: if one of them has an answer the member is covered, else it is sent itself. So the result does
not depend on the order of the files, and nothing is covered by a picture without an answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncIterator,
    Callable,
    Coroutine,
    Iterable,
    Iterator,
    Sequence,
)
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Final, NamedTuple, TypeVar

from batchscan.engines.interface import Engine
from batchscan.errors import StopRun
from batchscan.images.sending import is_converted
from batchscan.ledger import Ledger, LedgerThread
from batchscan.ledger.rendition_files import Hashes, RenditionFile, with_thumbnail
from batchscan.model import Candidate, NotSendable
from batchscan.pipeline.concurrency import ByteSemaphore
from batchscan.pipeline.rendition_family import Answered, Member, compare
from batchscan.pipeline.rendition_plan import (
    A_FEW,
    AT_ONCE,
    NO_COLUMNS,
    Columns,
    FamilyPlan,
    next_groups,
    plan,
)
from batchscan.pipeline.shutdown import Shutdown
from batchscan.rendition_types import SAME_FILE, CoveredBy, Fingerprint
from batchscan.renditions.grouping import Group
from batchscan.settings import Settings

T = TypeVar("T")
_PAGE: Final = 10_000  # rows read from the ledger in one go


class Savings(NamedTuple):
    """The savings that `--renditions cover` would have brought."""

    versions: int
    credits: int | None  # that they cost; None in a dry run, in which they cost nothing yet


@dataclass(slots=True)
class RenditionPlanner:
    """Finds the families among a run's files."""

    settings: Settings
    run_id: str
    ledger: LedgerThread
    engine: Engine
    stop: Shutdown
    find_answer: Callable[[Ledger, RenditionFile], Answered | None]
    bytes_in_flight: ByteSemaphore = field(init=False)

    def __post_init__(self) -> None:
        self.bytes_in_flight = ByteSemaphore(self.engine.bytes_in_flight)

    async def families(self, *, counting: bool = False) -> AsyncIterator[list[Member]]:
        """Families with all noted files, the best member first.

        Args:
            counting: leave out files without other versions, and tie each member only to the first
                one that is sent.

        Raises:
            StopRun: the ledger cannot be read, or no worker is left to read files.
        """
        await self.ledger.run(lambda ledger: ledger.renditions.files.rank())
        if self.stop:
            async for file in self._all_files():
                yield [Member(file)]
            return
        plan = await self._plan()
        groups = iter(plan.groups)
        while some := await asyncio.to_thread(
            next_groups, groups, len(plan.answered), single=not counting
        ):
            for family in await self._confirmed(some, plan, counting):
                yield family

    async def count(self) -> Savings:
        """The noted files that need not have been sent, as they are versions of better ones."""
        versions = credits_ = 0
        async for family in self.families(counting=True):
            coverable = [
                (member.file, CoveredBy(better.candidate.path, better.file.sha256, *tie))
                for member in family
                for better, tie in member.ties
                if tie.rule != SAME_FILE
            ]
            versions += len(coverable)
            if coverable and not self.settings.dry_run:
                credits_ += await self.ledger.run(partial(_remember, coverable))
            if self.stop:
                break
        return Savings(versions, None if self.settings.dry_run else credits_)

    async def fill(self) -> None:
        """Compute missing fingerprints of pictures that older versions have sent."""
        after = 0
        while not self.stop:
            some = await self.ledger.run(partial(_unprinted, after))
            if not some:
                return
            if not after and self.settings.dry_run:
                await self.ledger.run(lambda ledger: ledger.renditions.keep_in_this_process())
            await self._all(self._fill(candidate) for _, candidate in some)
            after = some[-1][0]

    async def _fill(self, candidate: Candidate) -> None:
        seen = await self._inspect(candidate)
        if seen is not None:
            await self.ledger.run(lambda ledger: ledger.renditions.keep(*seen))

    async def _all_files(self) -> AsyncIterator[RenditionFile]:
        rank = 1
        while files := await self.ledger.run(partial(_files_from, rank)):
            for file in files:
                yield file
            rank += AT_ONCE

    async def _plan(self) -> FamilyPlan:
        noted = await self._columns(
            lambda ledger, last: ledger.renditions.files.ranked(last.number if last else 0, _PAGE)
        )
        verdicts = await self.ledger.run(lambda ledger: ledger.renditions.decisions.verdicts())
        answered = NO_COLUMNS
        if len(noted.pictures) and not self.settings.force:
            few = noted if len(noted.pictures) <= A_FEW else None
            answered = await self._columns(
                lambda ledger, last: ledger.renditions.answered(
                    self.run_id, last.sha256 if last else b"", _PAGE
                ),
                (lambda page: page.beside(few, frozenset().union(*verdicts.joined)))
                if few
                else None,
            )
        return await asyncio.to_thread(plan, answered.best_first(), noted, verdicts)

    async def _columns(
        self,
        page: Callable[[Ledger, Hashes | None], list[Hashes]],
        choose: Callable[[Columns], Columns] | None = None,
    ) -> Columns:
        """Read fingerprints from the ledger page by page; `choose` selects rows of each page."""
        parts, last = [NO_COLUMNS], None
        while some := await self.ledger.run(partial(_turn, page, last)):
            columns = await asyncio.to_thread(Columns.of, some)
            parts.append(columns if choose is None else await asyncio.to_thread(choose, columns))
            last = some[-1]
        return await asyncio.to_thread(Columns.joined, parts)

    async def _confirmed(
        self, groups: list[Group], plan: FamilyPlan, counting: bool
    ) -> list[list[Member]]:
        """The families of some groups, confirmed by comparing thumbnails."""
        first = len(plan.answered)

        def load(ledger: Ledger) -> list[list[_Entry]]:
            return [list(_loaded(ledger, group, plan, self.find_answer)) for group in groups]

        loaded = await self.ledger.run(load)
        wanted = [entry for entries in loaded if len(entries) > 1 for entry in entries]
        looked = await self._all(self._with_thumbnail(entry.file) for entry in wanted)
        seen = {entry.number: file for entry, file in zip(wanted, looked, strict=True)}
        families = []
        for group, entries in zip(groups, loaded, strict=True):
            members = {
                entry.number: Member(seen.get(entry.number, entry.file)) for entry in entries
            }
            for entry in entries:
                if entry.number < first:
                    members[entry.number].settle(entry.answered)
            await asyncio.to_thread(
                compare, group, members, plan.verdicts, self.stop, counting=counting
            )
            families.append([member for number, member in members.items() if number >= first])
        return families

    async def _with_thumbnail(self, file: RenditionFile) -> RenditionFile:
        """The file with its thumbnail, read from the file again if it was not kept."""
        if file.fingerprint is None or file.fingerprint.thumbnail or self.stop:
            return file
        for candidate in (file.candidate, *file.elsewhere):
            try:
                seen = await self._inspect(candidate)
            except StopRun as reason:
                self.stop.request(reason)
                return file
            if seen is not None and seen[0] == file.sha256 and seen[1] is not None:
                return with_thumbnail(file, seen[1].thumbnail)
        return file

    async def _inspect(self, candidate: Candidate) -> tuple[str, Fingerprint | None] | None:
        """A file's SHA-256 and fingerprint; None if it is missing or not a picture."""
        size = candidate.stat.size if candidate.stat else 0
        async with self.bytes_in_flight.hold(min(size, self.settings.scan.max_bytes)):
            image = await self.engine.inspect(candidate)
            if isinstance(image, NotSendable):
                return None
            try:
                if image.fingerprint is None and is_converted(image):
                    made = await self.engine.make_sendable(image, candidate)
                    if isinstance(made, NotSendable):
                        return image.sha256, None
                    image = made
                return image.sha256, image.fingerprint
            finally:
                self.engine.release(image)

    async def _all(self, work: Iterable[Coroutine[None, None, T]]) -> list[T]:
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


def _remember(coverable: Sequence[tuple[RenditionFile, CoveredBy]], ledger: Ledger) -> int:
    """Store which versions were sent; returns the credits that they cost."""
    for file, by in coverable:
        ledger.renditions.found(file, by)
    return sum(ledger.known.credits_of(file.sha256) for file, _ in coverable)


def _unprinted(after: int, ledger: Ledger) -> list[tuple[int, Candidate]]:
    return ledger.renditions.unprinted(after, AT_ONCE)


def _files_from(rank: int, ledger: Ledger) -> list[RenditionFile]:
    return ledger.renditions.files.get(range(rank, rank + AT_ONCE))


class _Entry(NamedTuple):
    """A picture of a group."""

    number: int
    file: RenditionFile
    answered: Answered | None  # by an earlier run


def _turn(
    page: Callable[[Ledger, Hashes | None], list[Hashes]], last: Hashes | None, ledger: Ledger
) -> list[Hashes]:
    return page(ledger, last)


def _loaded(
    ledger: Ledger,
    group: Group,
    plan: FamilyPlan,
    find_answer: Callable[[Ledger, RenditionFile], Answered | None],
) -> Iterator[_Entry]:
    first = len(plan.answered)
    for number in group.members:
        if number >= first:
            (file,) = ledger.renditions.files.get([number - first + 1])
            yield _Entry(number, file, None)
            continue
        answered_file = ledger.renditions.answered_file(plan.answered[number])
        answered = None if answered_file is None else find_answer(ledger, answered_file)
        if answered_file is not None and answered is not None:
            yield _Entry(number, answered_file, answered)
