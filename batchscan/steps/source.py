"""From the walk to the queue: what is unchanged never enters it."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import compress

import msgspec

from batchscan.escape import path_fields, printable
from batchscan.images.inspect import pictures_of
from batchscan.ledger import FileState, KnownFolder, Ledger, LedgerThread, Sorted, Standing
from batchscan.model import Candidate, Outcome, Stat
from batchscan.names import DeferReason
from batchscan.pace import Clock
from batchscan.paths import is_url, joined
from batchscan.settings import Settings
from batchscan.steps.missing import Missing
from batchscan.steps.record import Recorder
from batchscan.steps.stop import Stop
from batchscan.steps.verdict import Stopwatch, deferred
from batchscan.stores import is_empty
from batchscan.tally import Tally
from batchscan.times import rfc3339
from batchscan.walk import Block, Finder

NANO = 1_000_000_000
BATCH_FILES = 5_000  # looked up at once
BATCH_DUE = 500  # taken at once, of those to be asked again
BATCH_SECONDS = 0.2  # that a walk gathers at most: a slow disk's first pictures need not wait
log = logging.getLogger(__name__)


class Facts(msgspec.Struct, frozen=True):
    """What no line shows of a run, kept in the ledger for the case that it is killed."""

    roots: tuple[str, ...] = ()
    unchanged: int = 0
    unchanged_bytes: int = 0
    news_of: tuple[str, ...] = ()  # killed runs, whose news nobody has been told

    def with_more(self, found: Sequence[Sorted]) -> Facts:
        """The facts after more folders."""
        return Facts(
            self.roots,
            self.unchanged + sum(each.unchanged for each in found),
            self.unchanged_bytes + sum(each.unchanged_bytes for each in found),
            self.news_of,
        )


def facts_of(settings: Settings) -> Facts:
    """What is known of a run when it begins."""
    return Facts(tuple(path_fields(root)[0] for root in settings.roots))


@dataclass(slots=True)
class Source:
    """Feeds the queue with the files that something is to be done about."""

    settings: Settings
    standing: Standing
    walks: Sequence[Finder]
    ledger: LedgerThread
    recorder: Recorder
    stop: Stop
    clock: Clock
    tally: Tally
    facts: Facts
    found: int = 0  # files until now, whatever becomes of them
    ended: bool = False

    async def feed(self, queue: asyncio.Queue[Candidate | None]) -> None:
        """Walk everything; once the run stops, decide what is left without opening it.

        Raises:
            StorageError: the ledger or the output cannot be written.
        """
        for walk in self.walks:
            if not self.stop.at_once:
                await self._feed_from(walk, queue)
        self.ended = True
        await queue.join()  # what is asked again must not take the budget of what is new
        while not self.stop.at_once and (due := await self.ledger.do(_take_due)):
            await self._hand_on(due, queue)

    async def _feed_from(self, walk: Finder, queue: asyncio.Queue[Candidate | None]) -> None:
        async for blocks in _batches(walk):
            await self._hand_on(await self._candidates(blocks), queue)
            if self.stop.at_once:
                break
        self.tally.ignored += walk.counts.ignored
        self.tally.excluded += walk.counts.excluded
        self.tally.unreadable_folders += walk.counts.unreadable_folders
        for path, why in walk.counts.unreadable:
            log.warning("not covered: %s cannot be read: %s", printable(path), why)
        await self._look_for_empty_roots(walk)
        if not self.stop.at_once:
            await self._look_for_missing_folders(walk)

    async def _candidates(self, blocks: Sequence[Block]) -> list[Candidate]:
        """The files of blocks that are not unchanged; those without an extension if pictures."""
        await self.ledger.do(lambda ledger: self._saw(ledger, blocks))
        rest = await self._sort(blocks, [block.entries for block in blocks])
        unnamed = await self._sort(blocks, [block.unnamed for block in blocks])
        found: list[Candidate] = []
        for block, named, others in zip(blocks, rest, unnamed, strict=True):
            pictures: list[FileState] = []
            if others:
                pictures = await asyncio.to_thread(self._pictures_of, block.folder, others)
                self.tally.ignored += len(others) - len(pictures)
            found += _candidates_of(block, named + pictures)
        self.found += len(found)
        return found

    async def _sort(
        self, blocks: Sequence[Block], parts: Sequence[Sequence[FileState]]
    ) -> list[list[FileState]]:
        """Of a part of each block the files that are not as they were, in their order.

        Those whose answers are to be asked for again are kept aside until all new ones are asked.
        """
        if self.settings.force or self.settings.rehash or not any(parts):
            return [list(files) for files in parts]

        def sort(ledger: Ledger) -> list[Sorted]:
            found = []
            for block, files in zip(blocks, parts, strict=True):
                each = ledger.files.sort(block.folder, files, self.standing)
                ledger.rescans.add(block.folder, block.root, each.due, explicit=block.explicit)
                found.append(each)
            if not self.settings.dry_run:
                facts = self.facts.with_more(found)
                ledger.runs.note(self.recorder.run_id, msgspec.json.encode(facts))
            return found

        found = await self.ledger.do(sort)
        before, self.facts = self.facts, self.facts.with_more(found)
        unchanged = self.facts.unchanged - before.unchanged
        self.tally.unchanged(unchanged, self.facts.unchanged_bytes - before.unchanged_bytes)
        self.found += unchanged + sum(len(each.due) for each in found)
        return [each.rest for each in found]

    def _pictures_of(self, folder: str, entries: Sequence[FileState]) -> list[FileState]:
        """Those of the files without an extension that are pictures by their first bytes."""
        follow = self.settings.scan.follow_symlinks
        found = pictures_of([joined(folder, entry[0]) for entry in entries], follow=follow)
        return list(compress(entries, found))

    async def _hand_on(
        self, candidates: Sequence[Candidate], queue: asyncio.Queue[Candidate | None]
    ) -> None:
        now, min_age = self.clock.wall() * NANO, self.settings.scan.min_age * NANO
        put_off: list[Outcome] = []
        for candidate in candidates:
            if self.stop:
                put_off.append(self._put_off(candidate))
            elif min_age and (detail := _too_young(candidate, now, min_age)):
                watch = Stopwatch(self.clock)
                put_off.append(deferred(candidate, DeferReason.TOO_YOUNG, detail, watch))
            else:
                await queue.put(candidate)
        await self.recorder.record_all(put_off)

    def _put_off(self, candidate: Candidate) -> Outcome:
        reason = self.stop.reason
        why = reason.defers_as if reason else DeferReason.INTERRUPTED
        return deferred(candidate, why, str(reason or "the run stopped"), Stopwatch(self.clock))

    def _saw(self, ledger: Ledger, blocks: Sequence[Block]) -> None:
        for block in blocks:
            if block.root is not None and len(block):
                writable = not self.settings.dry_run
                ledger.missing.saw(block.folder, mounted=block.mounted, writable=writable)

    async def _look_for_missing_folders(self, walk: Finder) -> None:
        for root, pictures in walk.counts.seen.items():
            if not pictures or is_url(root):  # reported as a whole; a store has no mounts
                continue
            missing, after = Missing(), b""
            while some := await self.ledger.do(partial(_unseen_below, root, after)):
                await asyncio.to_thread(missing.add, root, some)
                after = some[-1].path
            if missing.reported_once and not self.settings.dry_run:
                once = missing.reported_once
                await self.ledger.do(partial(_keep_reported, once))
            for path in missing.tops:
                self.tally.empty_roots.append(path)
                log.warning(
                    "not covered: %s is empty or gone, and pictures were seen there before",
                    printable(path),
                )

    async def _look_for_empty_roots(self, walk: Finder) -> None:
        """An unmounted disk looks like an empty folder; the ledger knows better."""
        for root, pictures in walk.counts.seen.items():
            if pictures or self.stop.at_once:
                continue
            if walk.counts.excluded and not await asyncio.to_thread(_is_empty, root):
                continue

            def known(ledger: Ledger, root: str = root) -> bool:
                return ledger.files.any_below(root)

            if await self.ledger.do(known):
                self.tally.empty_roots.append(root)
                log.warning("not covered: %s is empty; is its disk mounted?", printable(root))


def _unseen_below(root: str, after: bytes, ledger: Ledger) -> list[KnownFolder]:
    return ledger.missing.unseen_below(root, after)


def _keep_reported(folder_ids: Sequence[int], ledger: Ledger) -> None:
    ledger.missing.reported(folder_ids)


def _take_due(ledger: Ledger) -> list[Candidate]:
    return ledger.rescans.take(BATCH_DUE)


async def _batches(walk: Finder) -> AsyncIterator[list[Block]]:
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


def _candidates_of(block: Block, files: Sequence[FileState]) -> Iterator[Candidate]:
    for name, *stat in files:
        yield Candidate(joined(block.folder, name), Stat(*stat), block.explicit, block.root)
    for name in block.without_stat:
        yield Candidate(joined(block.folder, name), None, block.explicit, block.root)


def _is_empty(folder: str) -> bool:
    if is_url(folder):
        return is_empty(folder)
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None
    except OSError:
        return True


def _too_young(candidate: Candidate, now_ns: float, min_age_ns: float) -> str | None:
    """Why a file is too young, if it is.

    A modification time in the future is somebody's setting (a camera's clock, an archive) and says
    nothing about the file's age; its change time is the file system's own.
    """
    stat = candidate.stat
    if stat is None:
        return None
    # An object has no ctime: its version stands there.
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
