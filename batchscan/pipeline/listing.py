"""What a walk finds, by the handful, and which of it is too young to be touched."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence

from batchscan.ledger import FileStat
from batchscan.model import Candidate, Stat
from batchscan.util.paths import is_url, join_path
from batchscan.util.timestamps import rfc3339
from batchscan.walk import Block, Finder

BATCH_FILES = 5_000  # looked up at once
BATCH_SECONDS = 0.2  # that a walk gathers at most: a slow disk's first pictures need not wait
NANO = 1_000_000_000


async def batches(walk: Finder) -> AsyncIterator[list[Block]]:
    """Blocks by the handful, so that many small folders cost few turns between threads."""
    blocks = walk.blocks()
    while batch := await asyncio.to_thread(_batch, blocks):
        yield batch


def _batch(blocks: Iterator[Block]) -> list[Block]:
    batch: list[Block] = []
    files, until = 0, time.monotonic() + BATCH_SECONDS
    for block in blocks:
        batch.append(block)
        files += len(block)
        if files >= BATCH_FILES or time.monotonic() >= until:
            break
    return batch


def candidates_of(block: Block, files: Sequence[FileStat]) -> Iterator[Candidate]:
    """The files of a block that something may be to be done about."""
    for name, *stat in files:
        yield Candidate(join_path(block.folder, name), Stat(*stat), block.named_by_user, block.root)
    for name in block.without_stat:
        yield Candidate(join_path(block.folder, name), None, block.named_by_user, block.root)


def too_young(candidate: Candidate, now_ns: float, min_age_ns: float) -> str | None:
    """Why a file is too young, if it is.

    A modification time in the future is somebody's setting (a camera's clock, an archive) and says
    nothing about the file's age; its change time is the file system's own.
    """
    stat = candidate.stat
    if stat is None:
        return None
    # An object has no ctime: its version takes that place.
    times = [stat.mtime_ns] if is_url(candidate.path) else [stat.mtime_ns, stat.ctime_ns]
    past = [time for time in times if time <= now_ns]
    if not past and not is_url(candidate.path):
        return f"its times are in the future: until {_utc(min(times))}, or until it is changed"
    if any(time > now_ns - min_age_ns for time in past):
        return "changed more recently than --min-age"
    return None


def _utc(time_ns: int) -> str:
    try:
        return rfc3339(time_ns / NANO)
    except (OverflowError, ValueError, OSError):
        return "a year that there is no date for"
