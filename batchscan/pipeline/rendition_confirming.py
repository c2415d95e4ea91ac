"""Confirming by their pixels that one file is a version of another, before it is covered.

Thumbnails show which files may be versions, and that is enough for counting them. A picture that
is not asked about is decoded once more together with the one whose answer it gets, one pair at a
time. If the two differ, or one of them cannot be read any more, it is asked about, and is known
from then on.
"""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Final

from batchscan.engines.interface import Engine
from batchscan.errors import StopRun
from batchscan.images.comparing import Content
from batchscan.ledger.rendition_files import RenditionFile
from batchscan.pipeline.rendition_family import Covering, Member
from batchscan.pipeline.shutdown import Shutdown
from batchscan.rendition_types import JOINED_RULE, RAW_RULE, Tie
from batchscan.state.crash_marks import CrashMarks

_NOT_BY_PIXELS: Final = (JOINED_RULE, RAW_RULE)
"""The rules of files that may look different."""


@dataclass(slots=True)
class RenditionConfirmer:
    """Compares files on the engine's threads or workers."""

    engine: Engine
    stop: Shutdown
    marks: CrashMarks | None  # None in a dry run
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def covering(self, member: Member) -> Covering | None:
        """Wait for the better members, and return the first one that may cover this one."""
        return await member.covering(self._is_version)

    async def _is_version(self, answered: RenditionFile, file: RenditionFile, tie: Tie) -> bool:
        """Whether a file is a version of an answered one; a run that stops compares no more."""
        if tie.rule in _NOT_BY_PIXELS:
            return True
        async with self._turn:
            if self.stop:
                return False
            mark = self.marks.checking(file.candidate.path) if self.marks else nullcontext()
            try:
                with mark:
                    return await self.engine.deviation(_content(answered), _content(file)) <= 1
            except StopRun as reason:
                self.stop.request(reason)
                return False


def _content(file: RenditionFile) -> Content:
    """The places of a file's content; a file inspected in this run is not inspected again."""
    first = replace(file.candidate, inspected=file.inspected)
    return Content((first, *file.elsewhere), file.sha256)
