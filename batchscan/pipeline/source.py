"""From the walk to the queue, which unchanged files never enter."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import compress, islice

import msgspec

from batchscan.enums import DeferReason
from batchscan.errors import StopRun
from batchscan.images.read import pictures_of
from batchscan.ledger import (
    BlockStatus,
    FileStat,
    FreshnessPolicy,
    Ledger,
    LedgerThread,
)
from batchscan.model import Candidate, Outcome
from batchscan.pace import Clock
from batchscan.pipeline.candidate_queue import CandidateQueue
from batchscan.pipeline.listing import NANO, batches, candidates_of, too_young
from batchscan.pipeline.missing_folders import is_empty, missing_below
from batchscan.pipeline.outcomes import Stopwatch, deferred
from batchscan.pipeline.recorder import Recorder
from batchscan.pipeline.rendition_family import Member, OpenPlanner
from batchscan.pipeline.shutdown import Shutdown
from batchscan.runs.checkpoint import RunCheckpoint
from batchscan.settings import Settings
from batchscan.tally import Tally
from batchscan.util.escaping import printable
from batchscan.util.paths import is_url, join_path
from batchscan.walk import Block, Finder

MAX_DEFERRING = 5.0  # seconds after a signal for recording the files that are left as deferred
MAX_WARNINGS = 20  # about folders that cannot be read; unchecked.csv names the others
BATCH_DUE = 500  # rescans taken at once
IN_SUMMARY = {"in_summary": True}  # log records that the summary repeats
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Source:
    """Feeds the queue with candidates."""

    settings: Settings
    freshness: FreshnessPolicy
    walks: Sequence[Finder]
    ledger: LedgerThread
    recorder: Recorder
    stop: Shutdown
    clock: Clock
    tally: Tally
    checkpoint: RunCheckpoint
    open_planner: OpenPlanner
    found: int = 0  # files of any kind until now
    stopped_at: float | None = None  # monotonic seconds, if the run stops immediately
    ended: bool = False

    async def feed(self, queue: asyncio.Queue[Candidate | Member | None]) -> None:
        """List all files into the queue; once the run stops, defer the rest without opening it.

        The listing runs ahead of the queue, so the total is known as soon as it ends.

        Raises:
            StorageError: the ledger or the output cannot be written.
        """
        with CandidateQueue() as waiting:
            listing = asyncio.create_task(self._list(waiting))
            try:
                while self._goes_on() and (batch := await waiting.get()):
                    await self._hand_on(batch, queue)
            finally:
                listing.cancel()
                await asyncio.wait([listing])
        await queue.join()  # rescans must not use the budget before new pictures
        if self.settings.scan.renditions == "cover":
            await self._hand_on_families(queue)
        if self.ended and not self.stop.immediate:
            for walk in self.walks:  # now that a moved folder's pictures are known where they are
                await self._look_for_missing_folders(walk)
        while not self.stop.immediate and (due := await self.ledger.run(_take_due)):
            await self._hand_on(await self._old_enough(due), queue)
        if self.settings.scan.renditions == "cover":
            await self._hand_on_covered(queue)

    async def _hand_on_covered(self, queue: asyncio.Queue[Candidate | Member | None]) -> None:
        """Queue files that are covered by an answer that is too old.

        If the picture that covers them was sent again, its new answer holds for them. If its file
        is gone, they form a family of their own, of which the best is sent.
        """
        await queue.join()
        take = partial(_take_due, covered=True)
        due = await self.ledger.run(take)
        if not due:
            return
        await self.ledger.run(lambda ledger: ledger.renditions.files.forget())
        while due and self._goes_on():
            await self._hand_on(await self._old_enough(due), queue)
            due = await self.ledger.run(take)
        await queue.join()
        await self._hand_on_families(queue)

    async def _hand_on_families(self, queue: asyncio.Queue[Candidate | Member | None]) -> None:
        """Queue all noted files, family by family, the best version first."""
        if self.tally.renditions is None:
            self.tally.renditions = 0
        planner = self.open_planner()
        await planner.fill()
        async for family in planner.families():
            if not self._goes_on():
                break
            await self._hand_on(family, queue)
        await queue.join()

    def _goes_on(self) -> bool:
        """Whether to go on queueing files, or deferring them once the run stops."""
        if not self.stop.immediate:
            return True
        now = time.monotonic()
        self.stopped_at = self.stopped_at or now
        lost = self.stop.bug is not None or self.stop.storage_failed
        return not lost and now - self.stopped_at < MAX_DEFERRING

    async def _list(self, waiting: CandidateQueue) -> None:
        """Put all files into the queue; an error becomes the run's reason to stop."""
        try:
            for walk in self.walks:
                if not self.stop.immediate:
                    await self._list_from(walk, waiting)
            self.ended = True
        except StopRun as reason:
            self.stop.request(reason)
        except Exception as bug:  # noqa: BLE001 - raised again after requests have settled
            self.stop.request_for_bug(bug)
        finally:
            await waiting.end()

    async def _list_from(self, walk: Finder, waiting: CandidateQueue) -> None:
        async for blocks in batches(walk):
            await waiting.put(await self._old_enough(await self._candidates(blocks)))
            if self.stop.immediate:
                break
        self.tally.ignored += walk.counts.ignored
        self.tally.excluded += walk.counts.excluded
        self.tally.unreadable_folders += walk.counts.unreadable_folders
        self.tally.unreadable_names |= walk.counts.unreadable
        for path, why in islice(walk.counts.unreadable.items(), MAX_WARNINGS):
            log.warning(
                "not scanned: %s cannot be read: %s", printable(path), why, extra=IN_SUMMARY
            )
        await self._look_for_empty_roots(walk)

    async def _candidates(self, blocks: Sequence[Block]) -> list[Candidate]:
        """The new and changed files of blocks; those without an extension only if pictures."""
        await self.ledger.run(lambda ledger: self._saw(ledger, blocks))
        named_changed = await self._classify(blocks, [block.entries for block in blocks])
        unnamed = await self._classify(blocks, [block.unnamed for block in blocks])
        candidates: list[Candidate] = []
        for block, named, others in zip(blocks, named_changed, unnamed, strict=True):
            pictures: list[FileStat] = []
            if others:
                pictures = await asyncio.to_thread(self._pictures_of, block.folder, others)
                self.tally.ignored += len(others) - len(pictures)
            candidates += candidates_of(block, named + pictures)
        self.found += len(candidates)
        return candidates

    async def _classify(
        self, blocks: Sequence[Block], parts: Sequence[Sequence[FileStat]]
    ) -> list[list[FileStat]]:
        """The new and changed files of a part of each block, in their order.

        Files that are due to be sent again go into the rescan queue.
        """
        if self.settings.force or self.settings.rehash or not any(parts):
            return [list(files) for files in parts]

        def sort(ledger: Ledger) -> list[BlockStatus]:
            statuses = []
            for block, files in zip(blocks, parts, strict=True):
                status = ledger.files.classify(block.folder, files, self.freshness)
                ledger.rescan_queue.add(
                    block.folder, block.root, status.due_for_rescan, explicit=block.named_by_user
                )
                statuses.append(status)
            if not self.settings.dry_run:
                facts = self.checkpoint.with_more(statuses)
                ledger.runs.save_checkpoint(self.recorder.run_id, msgspec.json.encode(facts))
            return statuses

        statuses = await self.ledger.run(sort)
        before, self.checkpoint = self.checkpoint, self.checkpoint.with_more(statuses)
        unchanged = self.checkpoint.unchanged - before.unchanged
        self.tally.unchanged(unchanged, self.checkpoint.unchanged_bytes - before.unchanged_bytes)
        self.tally.unchanged_rejected = Counter(self.checkpoint.unchanged_rejected)
        self.found += unchanged + sum(len(status.due_for_rescan) for status in statuses)
        return [status.changed for status in statuses]

    def _pictures_of(self, folder: str, entries: Sequence[FileStat]) -> list[FileStat]:
        """The files without an extension that are pictures by their first bytes."""
        follow = self.settings.scan.follow_symlinks
        is_picture = pictures_of([join_path(folder, entry[0]) for entry in entries], follow=follow)
        return list(compress(entries, is_picture))

    async def _old_enough(self, candidates: list[Candidate]) -> list[Candidate]:
        """Defer files that changed too recently, by the stat that was just taken."""
        now, min_age = self.clock.wall() * NANO, self.settings.scan.min_age * NANO
        if not min_age or self.stop:
            return candidates
        old_enough: list[Candidate] = []
        put_off: list[Outcome] = []
        for candidate in candidates:
            if detail := too_young(candidate, now, min_age):
                watch = Stopwatch(self.clock)
                put_off.append(deferred(candidate, DeferReason.TOO_YOUNG, detail, watch))
            else:
                old_enough.append(candidate)
        await self.recorder.record_all(put_off)
        return old_enough

    async def _hand_on(
        self,
        candidates: Sequence[Candidate | Member],
        queue: asyncio.Queue[Candidate | Member | None],
    ) -> None:
        put_off: list[Outcome] = []
        for candidate in candidates:
            if self.stop:
                put_off.append(self._put_off(candidate))
            else:
                await queue.put(candidate)
        await self.recorder.record_all(put_off)

    def _put_off(self, work: Candidate | Member) -> Outcome:
        candidate = work if isinstance(work, Candidate) else work.candidate
        reason = self.stop.reason
        why = reason.defer_reason if reason else DeferReason.INTERRUPTED
        return deferred(candidate, why, str(reason or "the run stopped"), Stopwatch(self.clock))

    def _saw(self, ledger: Ledger, blocks: Sequence[Block]) -> None:
        for block in blocks:
            if block.root is not None and len(block):
                writable = not self.settings.dry_run
                ledger.missing_folders.saw(block.folder, mounted=block.mounted, writable=writable)

    async def _look_for_missing_folders(self, walk: Finder) -> None:
        for root, pictures in walk.counts.seen.items():
            if not pictures or is_url(root):  # empty roots are reported; stores have no mounts
                continue
            missing = await missing_below(root, self.ledger, writable=not self.settings.dry_run)
            for path in missing:
                self.tally.empty_roots.append(path)
                log.warning(
                    "not scanned: %s is empty or missing, but had pictures before",
                    printable(path),
                    extra=IN_SUMMARY,
                )

    async def _look_for_empty_roots(self, walk: Finder) -> None:
        """Warn of empty roots in which the ledger knows pictures: a disk may not be mounted."""
        for root, pictures in walk.counts.seen.items():
            if pictures or self.stop.immediate:
                continue
            if walk.counts.excluded and not await asyncio.to_thread(is_empty, root):
                continue

            def known(ledger: Ledger, root: str = root) -> bool:
                return ledger.files.has_files_under(root)

            if await self.ledger.run(known):
                self.tally.empty_roots.append(root)
                log.warning(
                    "not scanned: %s is empty; is its disk mounted?",
                    printable(root),
                    extra=IN_SUMMARY,
                )


def _take_due(ledger: Ledger, *, covered: bool = False) -> list[Candidate]:
    return ledger.rescan_queue.take(BATCH_DUE, covered=covered)
