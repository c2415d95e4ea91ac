"""Batches of what a walk finds, and the check for files that are too young."""

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
BATCH_SECONDS = 0.2  # at most for one batch, so that pictures on a slow disk need not wait
NANO = 1_000_000_000


async def batches(walk: Finder) -> AsyncIterator[list[Block]]:
    """Batches of blocks, so that many small folders cost few switches between threads."""
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
    """Candidates for some files of a block."""
    for name, *stat in files:
        yield Candidate(join_path(block.folder, name), Stat(*stat), block.named_by_user, block.root)
    for name in block.without_stat:
        yield Candidate(join_path(block.folder, name), None, block.named_by_user, block.root)


def too_young(candidate: Candidate, now_ns: float, min_age_ns: float) -> str | None:
    """Why a file is too young; None if it is not.

    A modification time in the future is a program's (a camera's clock, an archive) and says nothing
    about the file's age; the change time is set by the file system.
    """
    stat = candidate.stat
    if stat is None:
        return None
    # An object has no ctime: the field holds its version.
    times = [stat.mtime_ns] if is_url(candidate.path) else [stat.mtime_ns, stat.ctime_ns]
    past = [time for time in times if time <= now_ns]
    if not past and not is_url(candidate.path):
        return f"its change time is in the future; it is scanned after {_utc(min(times))}, or when it changes"
    if any(time > now_ns - min_age_ns for time in past):
        return "changed more recently than --min-age"
    return None


def _utc(time_ns: int) -> str:
    try:
        return rfc3339(time_ns / NANO)
    except ValueError:
        return "a time beyond the year 9999"
