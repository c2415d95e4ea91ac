"""Processing one picture, from its file to its recorded outcome."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace

from batchscan.engines.interface import Engine
from batchscan.enums import DeferReason, FailReason
from batchscan.errors import StopRun, StorageError
from batchscan.ledger import DueRescan, FreshnessPolicy, KnownPicture, Ledger, LedgerThread
from batchscan.model import (
    Candidate,
    Deferred,
    Failed,
    Image,
    NotSendable,
    Outcome,
    Scanned,
)
from batchscan.pace import Clock
from batchscan.pipeline.concurrency import ByteSemaphore, SingleFlight
from batchscan.pipeline.covering import RenditionCoverer
from batchscan.pipeline.decision import (
    Decision,
    Plain,
    Stored,
    for_equal,
    for_twin,
    unsendable,
)
from batchscan.pipeline.decision_recorder import DecisionRecorder
from batchscan.pipeline.dry_run import SHARED
from batchscan.pipeline.known_answers import Lookup
from batchscan.pipeline.outcomes import (
    Stopwatch,
    decode_refusal,
    deferred,
    refused,
    reused,
    subject_of,
)
from batchscan.pipeline.rendition_family import Member
from batchscan.pipeline.settlement import Settled
from batchscan.pipeline.shutdown import Shutdown
from batchscan.pipeline.submission import Submitter
from batchscan.settings import Settings
from batchscan.state.crash_marks import CrashMarks
from batchscan.util.escaping import printable
from batchscan.util.paths import split_path

log = logging.getLogger(__name__)


@dataclass(slots=True)
class FileProcessor:
    """Processes files; shared by all workers."""

    settings: Settings
    freshness: FreshnessPolicy
    engine: Engine
    ledger: LedgerThread
    submitter: Submitter
    decisions: DecisionRecorder
    stop: Shutdown
    clock: Clock
    renditions: RenditionCoverer
    marks: CrashMarks | None  # None in a dry run
    lookup: Lookup
    bytes_in_flight: ByteSemaphore = field(init=False)
    in_flight: SingleFlight[Decision] = field(default_factory=SingleFlight)  # by content
    sent_twins: SingleFlight[Decision] = field(default_factory=SingleFlight)  # by what is sent

    def __post_init__(self) -> None:
        self.bytes_in_flight = ByteSemaphore(self.engine.bytes_in_flight)

    async def process_member(self, member: Member) -> None:
        """Decide a picture of a family, now that all pictures are known (`--renditions cover`).

        Raises:
            StorageError: the outcome cannot be recorded.
        """
        watch, decision = Stopwatch(self.clock), None
        try:
            by, cover = await self.renditions.confirmer.covering(member), self.renditions.cover
            if by is None or self.stop or not await cover(member, by, watch):
                candidate = replace(member.candidate, inspected=member.file.inspected)
                decision = await self.process(candidate, surveyed=True)
        finally:
            self.lookup.release(member.candidate.path)
            member.settle(self.renditions.answered_by(member, decision))

    async def process(self, candidate: Candidate, *, surveyed: bool = False) -> Decision | None:
        """Decide one file and record the outcome; a problem with the file is an outcome, too.

        With `--renditions cover` a new picture is only inspected at first, and decided as the
        member of a family once all pictures are known.

        Args:
            candidate: the file.
            surveyed: decide it now, whatever the settings.

        Returns:
            What became of it; None if it cannot cover other pictures.

        Raises:
            StorageError: the outcome cannot be recorded.
        """
        surveying = self.renditions.covers and not (surveyed or candidate.is_rescan)
        watch = Stopwatch(self.clock)
        size = candidate.stat.size if candidate.stat else 0
        size = min(size, self.settings.scan.max_bytes)
        async with self.bytes_in_flight.hold(size), AsyncExitStack() as resources:
            try:
                self.stop.raise_if_stopping()
                inspected = await self._inspect(candidate)
                if isinstance(inspected, NotSendable):
                    await self.decisions.record_plain(unsendable(inspected, watch), inspected.stat)
                    return None
                resources.callback(self._release, inspected)
                if surveying and await self._survey(inspected, candidate, watch):
                    return None
                if await self._defer_rescan(candidate, inspected):
                    return None
                decision = await self._decide_once(inspected, candidate, watch)
            except StopRun as reason:
                self.stop.request(reason)
                await self._defer(candidate, self.stop.reason or reason, watch)
                return None
            await self.decisions.record(inspected, decision)
            return decision

    def _release(self, image: Image) -> None:
        self.engine.release(image)
        self.lookup.release(image.path)

    async def _survey(self, image: Image, candidate: Candidate, watch: Stopwatch) -> bool:
        """Note a picture to be decided later; False if it is decided now."""
        noted = await self.renditions.survey(image, candidate, self._make_sendable)
        if isinstance(noted, NotSendable):
            await self.decisions.record_plain(unsendable(noted, watch), image.stat)
            return True
        return noted

    async def _inspect(self, candidate: Candidate) -> Image | NotSendable:
        if self.marks is None:
            return await self.engine.inspect(candidate)
        if candidate.path in self.marks.suspects:
            detail = "the last run crashed while it checked this file; the next run tries it again"
            return NotSendable(candidate.path, candidate.stat, FailReason.CHECK_FAILED, detail)
        with self.marks.checking(candidate.path):
            return await self.engine.inspect(candidate)

    async def _defer_rescan(self, candidate: Candidate, image: Image) -> bool:
        """Defer a rescan until all new pictures were sent; also if a known content has moved."""
        if candidate.is_rescan or self.settings.force or self.settings.scan.rescan_after is None:
            return False
        known = await self.lookup.known(image)
        if known.answer is None or self.freshness.is_known_current(known):
            return False
        folder, name = split_path(image.path)
        age = self.freshness.effective_time(known.answer.received_at, matched=bool(known.history))
        due = (DueRescan((name, *image.stat), age),)
        root, explicit = candidate.root, candidate.named_by_user
        picture_id = known.answer.picture_id

        def put_off(ledger: Ledger) -> None:
            ledger.rescan_queue.add(folder, root, due, explicit=explicit)
            ledger.report_pictures.add(
                picture_id, image.path, fresh=False
            )  # its old answer holds until then

        await self.ledger.run(put_off)
        return True

    async def _decide_once(self, image: Image, candidate: Candidate, watch: Stopwatch) -> Decision:
        self.lookup.release(image.path)  # it may wait for a twin now, which may be long itself
        async with self.in_flight.join(image.sha256) as flight:
            # In a dry run, decide again: its twin is planned now, so it is not sent.
            if flight.result is None or self.settings.dry_run:
                flight.result = await self._decide(image, candidate, watch)
                return flight.result
        return for_twin(flight.result, image, watch)

    async def _decide(self, image: Image, candidate: Candidate, watch: Stopwatch) -> Decision:
        """The decision on a content that no other worker is deciding."""
        known = await self.lookup.known(image)
        if known.is_conclusive:
            # In a thread: an answer with very many matches takes long to parse.
            from_ledger = await asyncio.to_thread(self._from_ledger, image, known, watch)
            if from_ledger is not None:
                return from_ledger
            known = self.lookup.let_go(image, known)
        before = await self.renditions.covered_before(image, watch)
        if before is not None:
            return before
        sendable = await self._make_sendable(image, candidate)
        if isinstance(sendable, NotSendable):
            return unsendable(sendable, watch)
        try:
            decision = await self._decide_on_sent(sendable, known, watch)
            if _was_asked(decision.outcome):
                await self._note_asked(sendable, candidate)
            return decision
        finally:
            self.engine.release(sendable)

    async def _make_sendable(self, image: Image, candidate: Candidate) -> Image | NotSendable:
        converted = self.renditions.conversions.take(image)
        if converted is not None:
            return converted
        if self.marks is None:
            return await self.engine.make_sendable(image, candidate)
        with self.marks.checking(candidate.path):
            return await self.engine.make_sendable(image, candidate)

    async def _decide_on_sent(
        self, image: Image, known: KnownPicture, watch: Stopwatch
    ) -> Decision:
        """The decision on a content by the bytes to be sent, which other contents may share."""
        async with self.sent_twins.join(image.sent_sha256) as flight:
            if flight.result is None or self.settings.dry_run:
                flight.result = await self._ask_or_reuse(image, known, watch)
                return flight.result
        decision = for_equal(flight.result, image, watch)
        if isinstance(decision, Stored):
            await self._equate(image, decision.picture_id)
        return decision

    async def _ask_or_reuse(self, image: Image, known: KnownPicture, watch: Stopwatch) -> Decision:
        by_sent = await self.lookup.known_by_sent(image)
        if by_sent.answer is not None and self.freshness.is_known_current(by_sent):
            await self._equate(image, by_sent.answer.picture_id)
            from_ledger = await asyncio.to_thread(self._from_ledger, image, by_sent, watch)
            if from_ledger is not None:
                return from_ledger
        by_sent = self.lookup.let_go(image, by_sent)
        decision = await self.submitter.submit(image, known, watch)
        if isinstance(decision, Settled):
            await self.decisions.accept_refusals()
            if decision.answer_id is not None and decision.answer.matches:
                await self._store_preview(decision, image)
        return decision

    async def _equate(self, image: Image, picture_id: int) -> None:
        if not self.settings.dry_run:
            await self.ledger.run(lambda ledger: ledger.known.equate(image, picture_id))

    def _from_ledger(
        self, image: Image, known: KnownPicture, watch: Stopwatch
    ) -> Stored | Plain | None:
        """The decision from the ledger; None if it has none that is current."""
        stored, force = known.answer, self.settings.force
        sandbox, (width, height) = self.settings.api.sandbox, known.size
        image = replace(image, width=width, height=height, sent=known.sent)
        if stored is not None and self.freshness.is_known_current(known):
            before = reused(image, stored, known.history, watch, sandbox=sandbox)
            return Stored(before, stored.picture_id, stored.id, equal=known.equal)
        if known.refusal is not None and not force:
            error = decode_refusal(known.refusal)
            return Plain(refused(image, watch.effort(), error, final=True))
        if known.lost and self.settings.api.after_conflict == "stop" and not force:
            detail = "the service has lost the answer for its scan id; --force asks again under a new one"
            effort = watch.effort()
            return Plain(Failed(subject_of(image), effort, FailReason.OUTCOME_UNKNOWN, detail))
        return None

    async def _note_asked(self, image: Image, candidate: Candidate) -> None:
        """Note a picture that was sent; a full disk stops the run without an exception."""
        try:
            await self.renditions.note_asked(image, candidate)
        except StorageError as error:  # raising would defer a picture that is answered
            self.stop.request(error)

    async def _store_preview(self, settled: Settled, image: Image) -> None:
        """Store a matched picture's preview if it has none; stops the run instead of raising."""
        picture_id, again = settled.picture_id, (settled.outcome.effort.generation or 1) > 1
        try:
            if again and await self.ledger.run(lambda ledger: ledger.previews.has(picture_id)):
                return
            columns = (await self.engine.make_preview(image)).columns()
            await self.ledger.run(lambda ledger: ledger.previews.put(picture_id, *columns))
        except StorageError as error:  # raising would defer a picture that is answered
            self.stop.request(error)
        except Exception as error:  # noqa: BLE001 - the answer counts without a preview, too
            log.warning("no thumbnail of %s: %r", printable(image.path), error)

    async def _defer(self, candidate: Candidate, reason: StopRun, watch: Stopwatch) -> None:
        outcome = deferred(candidate, reason.defer_reason, str(reason), watch)
        await self.decisions.record_plain(Plain(outcome), candidate.stat)


def _was_asked(outcome: Outcome) -> bool:
    """Whether a picture was sent, or would be in a dry run."""
    if isinstance(outcome, Deferred):
        return outcome.reason is DeferReason.DRY_RUN and outcome.detail != SHARED
    return isinstance(outcome, Scanned)
