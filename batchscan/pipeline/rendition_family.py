"""A family: files that are versions of one picture, the best first; each waits for better ones."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from batchscan.ledger.rendition_files import RenditionFile
from batchscan.ledger.rendition_verdicts import Verdicts
from batchscan.model import Answer, Candidate
from batchscan.pipeline.shutdown import Shutdown
from batchscan.rendition_types import CoveredBy
from batchscan.renditions.grouping import Group
from batchscan.renditions.ties import SAME_FILE, Compared, Tie, tie


@dataclass(frozen=True, slots=True)
class Answered:
    """A picture with an answer that can cover its versions."""

    file: RenditionFile | None  # None if it was covered in an earlier run
    picture_id: int
    answer: Answer
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


@dataclass(slots=True)
class Member:
    """A file of a family, and the better ones that it is a version of."""

    file: RenditionFile
    ties: list[tuple[Member, Tie]] = field(default_factory=list)
    decided: asyncio.Future[Answered | Planned | None] = field(default_factory=asyncio.Future)

    @property
    def candidate(self) -> Candidate:
        """The file."""
        return self.file.candidate

    async def covering(self) -> Covering | None:
        """Wait for the better members, and return the first one with an answer.

        None if this file is decided by itself: there is no such member, or it is a twin of it.
        """
        for other, found in self.ties:
            answered = await other.decided
            if answered is None:
                continue
            if found.rule == SAME_FILE:
                return None
            by = CoveredBy(other.candidate.path, other.file.sha256, *found)
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
    and where versions are only counted a member's first tie to a picture that is sent is enough.
    """
    sent: set[int] = set()
    for later, earlier_ones in zip(group.members, group.earlier, strict=True):
        covered = False
        for earlier in earlier_ones:
            if stop:
                return
            if later not in members or earlier not in members:
                continue
            one, other = (_compared(members[number].file) for number in (earlier, later))
            tied = tie(one, other, verdicts.alone, verdicts.joined)
            if tied is None:
                continue
            members[later].ties.append((members[earlier], tied))
            if counting and (earlier in sent or members[earlier].decided.done()):
                covered = tied.rule != SAME_FILE
                break
        if not covered:
            sent.add(later)


def _compared(file: RenditionFile) -> Compared:
    return Compared(file.candidate.path, file.sha256, file.format, file.fingerprint)
