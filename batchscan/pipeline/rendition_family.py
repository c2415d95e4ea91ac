"""A family: files that are versions of one picture, the best first; each waits for better ones."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from batchscan.engines.interface import Engine
from batchscan.ledger import Ledger, LedgerThread
from batchscan.ledger.rendition_files import RenditionFile
from batchscan.ledger.rendition_verdicts import Verdicts
from batchscan.model import Candidate
from batchscan.pipeline.shutdown import Shutdown
from batchscan.rendition_types import SAME_FILE, CoveredBy, Tie
from batchscan.settings import Settings

if TYPE_CHECKING:
    from batchscan.pipeline.renditions import RenditionPlanner
    from batchscan.renditions.grouping import Group


@dataclass(frozen=True, slots=True)
class Answered:
    """A picture with an answer that can cover its versions, which is read when it does."""

    file: RenditionFile | None  # None if it was covered in an earlier run
    picture_id: int
    answer_id: int
    scan_id: str | None
    generation: int | None


@dataclass(frozen=True, slots=True)
class Planned:
    """A picture that a dry run would send, and whose answer could cover its versions."""


@dataclass(frozen=True, slots=True)
class Covering:
    """The answer that covers a picture, and why."""

    answered: Answered | Planned
    by: CoveredBy


Confirm: TypeAlias = Callable[[RenditionFile, RenditionFile, Tie], Awaitable[bool]]


@dataclass(slots=True)
class Member:
    """A file of a family, and the better ones that it is a version of."""

    file: RenditionFile
    ties: list[tuple[Member, Tie]] = field(default_factory=list)
    decided: asyncio.Future[Answered | Planned | None] = field(default_factory=asyncio.Future)

    @property
    def candidate(self) -> Candidate:
        """The file as the walk found it."""
        return self.file.candidate

    async def covering(self, confirm: Confirm | None = None) -> Covering | None:
        """Wait for the better members, and return the first one whose answer covers this one.

        None if this file is decided by itself: there is no such member, or it is a twin of it.

        Args:
            confirm: whether an answered file and this one really are versions.
        """
        for better, tie in self.ties:
            answered = await better.decided
            if answered is None:
                continue
            if tie.rule == SAME_FILE:
                return None
            if confirm is not None and not await confirm(better.file, self.file, tie):
                continue
            by = CoveredBy(better.candidate.path, better.file.sha256, *tie)
            return Covering(answered, by)
        return None

    def settle(self, answered: Answered | Planned | None) -> None:
        """Wake the members that wait for this one, with its answer or None."""
        if not self.decided.done():
            self.decided.set_result(answered)


def compare(
    group: Group,
    members: Mapping[int, Member],
    verdicts: Verdicts,
    stop: Shutdown,
    *,
    counting: bool,
) -> None:
    """Tie each member to the better ones that it is a version of.

    Hundreds of frames of one camera are thousands of pairs, so a run that stops compares no more,
    and where versions are only counted each is tied to the first picture that is sent, if any.
    """
    sent: set[int] = set()  # by identity
    for later, earlier in zip(group.members, group.earlier, strict=True):
        if later not in members:
            continue
        member = members[later]
        ties = _ties(member, [members[n] for n in earlier if n in members], verdicts, stop)
        if counting:
            ties = islice((pair for pair in ties if _is_sent(pair[0], sent)), 1)
        member.ties.extend(ties)
        if not member.ties or member.ties[0][1].rule == SAME_FILE:
            sent.add(id(member))


def _ties(
    member: Member, better: Iterable[Member], verdicts: Verdicts, stop: Shutdown
) -> Iterator[tuple[Member, Tie]]:
    from batchscan.renditions.ties import Compared, tie  # noqa: PLC0415 - numpy is slow to import

    def compared(file: RenditionFile) -> Compared:
        return Compared(file.candidate.path, file.sha256, file.format, file.fingerprint)

    for earlier in better:
        if stop:
            return
        tied = tie(compared(earlier.file), compared(member.file), verdicts.alone, verdicts.joined)
        if tied is not None:
            yield earlier, tied


def _is_sent(member: Member, sent: Collection[int]) -> bool:
    """Whether a member is sent in this run, or was answered in an earlier one."""
    return id(member) in sent or member.decided.done()


OpenPlanner: TypeAlias = "Callable[[], RenditionPlanner]"


def open_planner(
    settings: Settings,
    run_id: str,
    ledger: LedgerThread,
    engine: Engine,
    stop: Shutdown,
    find_answer: Callable[[Ledger, RenditionFile], Answered | None],
) -> RenditionPlanner:
    """The planner of a run that has pictures to compare: numpy is slow to import."""
    from batchscan.pipeline.renditions import RenditionPlanner  # noqa: PLC0415

    return RenditionPlanner(settings, run_id, ledger, engine, stop, find_answer)
