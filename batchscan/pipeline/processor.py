"""What happens to one picture, from its file to its outcome."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from functools import partial

from batchscan.engines.interface import Engine, Refused
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
    Rejected,
    Scanned,
)
from batchscan.pace import Clock
from batchscan.pipeline.concurrency import ByteSemaphore, SingleFlight
from batchscan.pipeline.covering import Renditions
from batchscan.pipeline.dry_run import SHARED
from batchscan.pipeline.outcomes import (
    Decision,
    Stopwatch,
    decode_refusal,
    deferred,
    encode_refusal,
    for_equal,
    for_twin,
    not_sendable,
    refused,
    reused,
    subject_of,
)
from batchscan.pipeline.recorder import Recorded, Recorder
from batchscan.pipeline.refusal_breaker import HeldRefusal, RefusalBreaker
from batchscan.pipeline.rendition_family import Member
from batchscan.pipeline.settlement import Settled
from batchscan.pipeline.shutdown import Shutdown
from batchscan.pipeline.submission import NoAnswer, Submitter
from batchscan.settings import Settings
from batchscan.state.crash_marks import CrashMarks
from batchscan.util.escaping import printable
from batchscan.util.paths import split_path

log = logging.getLogger(__name__)


@dataclass(slots=True)
class FileProcessor:
    """Brings one file after the other to its outcome; the workers share it."""

    settings: Settings
    freshness: FreshnessPolicy
    engine: Engine
    ledger: LedgerThread
    submitter: Submitter
    recorder: Recorder
    refusals: RefusalBreaker
    stop: Shutdown
    clock: Clock
    marks: CrashMarks | None  # None in a dry run
    renditions: Renditions
    bytes_in_flight: ByteSemaphore
    in_flight: SingleFlight[Decision] = field(default_factory=SingleFlight)  # by content
    sent_twins: SingleFlight[Decision] = field(default_factory=SingleFlight)  # by what is sent

    async def process(self, work: Candidate | Member) -> None:
        """Decide one file and record it; trouble with the file is its outcome.

        With `--renditions cover` a new one is only looked at first, and decided as the member of
        a family, when all are known.

        Raises:
            StorageError: the outcome cannot be recorded.
        """
        if isinstance(work, Candidate):
            surveying = self.renditions.covers and not work.is_rescan
            await self._process(work, surveying=surveying)
            return
        watch, decision = Stopwatch(self.clock), None
        try:
            covering = await work.covering()
            if covering is None or self.stop:
                decision = await self._process(work.candidate)
            else:
                await self.renditions.cover(work, covering, watch)
        finally:
            work.settle(self.renditions.answered_by(work, decision))

    async def _process(self, candidate: Candidate, *, surveying: bool = False) -> Decision | None:
        """Decide one file, or note it for later."""
        watch = Stopwatch(self.clock)
        size = candidate.stat.size if candidate.stat else 0
        size = min(size, self.settings.scan.max_bytes)
        async with self.bytes_in_flight.hold(size), AsyncExitStack() as kept:
            try:
                self.stop.raise_if_stopping()
                found = await self._inspect(candidate)
                if isinstance(found, NotSendable):
                    return await self._record(found, Decision(not_sendable(found, watch)))
                kept.callback(self.engine.release, found)
                if surveying:
                    noted = await self.renditions.survey(found, candidate, self._make_sendable)
                    if isinstance(noted, NotSendable):
                        by_conversion = noted.by_conversion
                        refused_ = Decision(not_sendable(noted, watch), by_conversion=by_conversion)
                        return await self._record(found, refused_)
                    if noted:
                        return None
                if await self._defer_rescan(candidate, found):
                    return None
                verdict = await self._decide_once(found, candidate, watch)
            except StopRun as reason:
                self.stop.request(reason)
                await self._defer(candidate, self.stop.reason or reason, watch)
                return None
            return await self._record(found, verdict)

    async def _inspect(self, candidate: Candidate) -> Image | NotSendable:
        if self.marks is None:
            return await self.engine.inspect(candidate)
        if candidate.path in self.marks.suspects:
            detail = "the last run crashed while it checked this file; the next one tries it again"
            return NotSendable(candidate.path, candidate.stat, FailReason.CHECK_FAILED, detail)
        with self.marks.checking(candidate.path):
            return await self.engine.inspect(candidate)

    async def _defer_rescan(self, candidate: Candidate, image: Image) -> bool:
        """Keep what is to be asked again until all new pictures are: a moved file's content, too."""
        if candidate.is_rescan or self.settings.force or self.settings.scan.rescan_after is None:
            return False
        known = await self.ledger.run(lambda ledger: ledger.claims.lookup(image.sha256))
        if known.answer is None or self._is_current(known):
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
            )  # its old answer counts until then

        await self.ledger.run(put_off)
        return True

    def _is_current(self, known: KnownPicture) -> bool:
        """Whether the answer to a content is recent enough."""
        stored = known.answer
        return stored is not None and self.freshness.is_answer_current(
            stored.run_id, stored.received_at, matched=bool(known.history)
        )

    async def _decide_once(self, image: Image, candidate: Candidate, watch: Stopwatch) -> Decision:
        decide = partial(self._decide, image, candidate, watch)
        verdict, own = await self.in_flight.once(image.sha256, decide)
        if own:
            return verdict
        if self.settings.dry_run:  # now that its twin is planned, it is known not to be sent
            return await decide()
        return for_twin(verdict, image, watch)

    async def _decide(self, image: Image, candidate: Candidate, watch: Stopwatch) -> Decision:
        """The verdict on a content that nobody else is deciding."""
        known = await self.ledger.run(partial(self._look_up, image))
        if (
            known.is_conclusive
        ):  # in a thread: an answer with very many matches takes its time to read
            from_memory = await asyncio.to_thread(self._from_ledger, image, known, watch)
            if from_memory is not None:
                return from_memory
        before = await self.renditions.covered_before(image, watch)
        if before is not None:
            return before
        made = await self._make_sendable(image, candidate)
        if isinstance(made, NotSendable):
            return Decision(not_sendable(made, watch), by_conversion=made.by_conversion)
        try:
            verdict = await self._decide_on_sent(made, known, watch)
            if _was_asked(verdict.outcome):
                await self._note_asked(made, candidate)
            return verdict
        finally:
            self.engine.release(made)

    def _look_up(self, image: Image, ledger: Ledger) -> KnownPicture:
        if image.fingerprint is not None and not self.settings.dry_run:
            ledger.renditions.keep(image.sha256, image.fingerprint)
        return ledger.claims.lookup(image.sha256, image.path)

    async def _make_sendable(self, image: Image, candidate: Candidate) -> Image | NotSendable:
        if self.marks is None:
            return await self.engine.make_sendable(image, candidate)
        with self.marks.checking(candidate.path):
            return await self.engine.make_sendable(image, candidate)

    async def _decide_on_sent(
        self, image: Image, known: KnownPicture, watch: Stopwatch
    ) -> Decision:
        """The verdict on a content by the bytes that are sent for it, which others may share."""
        ask = partial(self._ask_or_reuse, image, known, watch)
        verdict, own = await self.sent_twins.once(image.sent_sha256, ask)
        if own:
            return verdict
        if self.settings.dry_run:
            return await ask()
        verdict = for_equal(verdict, image, watch)
        if verdict.picture_id is not None:
            await self._equate(image, verdict.picture_id)
        return verdict

    async def _ask_or_reuse(self, image: Image, known: KnownPicture, watch: Stopwatch) -> Decision:
        by_sent = await self.ledger.run(lambda ledger: ledger.claims.known_by_sent(image))
        if by_sent.answer is not None and self._is_current(by_sent):
            await self._equate(image, by_sent.answer.picture_id)
            from_memory = await asyncio.to_thread(self._from_ledger, image, by_sent, watch)
            if from_memory is not None:
                return from_memory
        return await self._ask(image, known, watch)

    async def _equate(self, image: Image, picture_id: int) -> None:
        if not self.settings.dry_run:
            await self.ledger.run(lambda ledger: ledger.claims.equate(image, picture_id))

    async def _ask(self, image: Image, known: KnownPicture, watch: Stopwatch) -> Decision:
        """The verdict on a picture that is asked about."""
        ending, submission = await self.submitter.submit(image, known, watch)
        effort = submission.effort()
        match ending:
            case Settled():
                return await self._after(ending, image)
            case Refused(error, final):
                return Decision(
                    refused(image, effort, error, final=final), refusal=submission.claim
                )
            case NoAnswer(reason, detail, error):
                return Decision(Failed(subject_of(image), effort, reason, detail, error))
            case _:
                return Decision(ending)

    def _from_ledger(self, image: Image, known: KnownPicture, watch: Stopwatch) -> Decision | None:
        """The verdict where the ledger has one that is still valid."""
        stored, force = known.answer, self.settings.force
        sandbox, (width, height) = self.settings.api.sandbox, known.size
        image = replace(image, width=width, height=height, sent=known.sent)
        if stored is not None and self._is_current(known):
            before = reused(image, stored, known.history, watch, sandbox=sandbox)
            return Decision(before, stored.picture_id, stored.id, equal=known.equal)
        if known.refusal is not None and not force:
            error = decode_refusal(known.refusal)
            return Decision(refused(image, watch.effort(), error, final=True))
        if known.lost and self.settings.api.after_conflict == "stop" and not force:
            detail = "its scan id is used up and the answer is lost; --force asks under a new one"
            effort = watch.effort()
            return Decision(Failed(subject_of(image), effort, FailReason.OUTCOME_UNKNOWN, detail))
        return None

    async def _after(self, settled: Settled, image: Image) -> Decision:
        """The verdict of an answer that is kept, and what an answer brings with it."""
        await self._flush_refusals()
        if settled.answer_id is None:
            return Decision(settled.outcome, line=settled.line)
        if settled.answer.matches:
            await self._store_preview(settled.picture_id, image)
        return Decision(settled.outcome, settled.picture_id, settled.answer_id, settled.line)

    async def _note_asked(self, image: Image, candidate: Candidate) -> None:
        """Note what was asked about; that it cannot be noted stops the run gently."""
        try:
            await self.renditions.note_asked(image, candidate)
        except StorageError as error:  # raised, it would defer a picture that is answered
            self.stop.request(error)

    async def _store_preview(self, picture_id: int, image: Image) -> None:
        """Keep what a matched picture looks like; that it cannot be kept stops the run gently."""
        try:
            columns = (await self.engine.make_preview(image)).columns()
            await self.ledger.run(lambda ledger: ledger.previews.put(picture_id, *columns))
        except StorageError as error:  # raised, it would defer a picture that is answered
            self.stop.request(error)
        except Exception as error:  # noqa: BLE001 - it is answered, with a portrait or without
            log.warning("no thumbnail of %s: %r", printable(image.path), error)

    async def _record(self, found: Image | NotSendable, verdict: Decision) -> Decision:
        """Record a verdict for a file, or hold it back while it might be the service's fault."""
        outcome = verdict.outcome
        if verdict.line is not None:
            await self.recorder.publish(outcome, verdict.line)
        elif isinstance(found, Image) and verdict.refusal is not None:
            held = HeldRefusal(found, outcome, verdict.refusal)
            if self.refusals.refused(held):
                self.stop.request(self.refusals.too_many())
                await self.flush_refusals()
        else:
            await self.recorder.record(
                outcome, lambda ledger: self._remember_file(ledger, found, verdict)
            )
        return verdict

    def _remember_file(
        self, ledger: Ledger, found: Image | NotSendable, verdict: Decision
    ) -> Recorded:
        """Keep a file's final verdict, so that it need not be opened again."""
        outcome = verdict.outcome
        if found.stat is None:
            return Recorded()
        if isinstance(outcome, Rejected):
            line = self.recorder.rejection_line(outcome)
            by_conversion = isinstance(found, NotSendable) and found.by_conversion
            either = by_conversion or verdict.by_conversion
            rules = self.freshness.all_rules if either else self.freshness.rules
            ledger.files.upsert(found.path, found.stat, rules=rules, line=line)
        elif verdict.picture_id is not None:
            if not isinstance(outcome, Failed):
                own = found.sha256 if verdict.equal else None
                picture_id = verdict.picture_id
                ledger.files.upsert(found.path, found.stat, picture_id=picture_id, sha256=own)
            ledger.report_pictures.add(verdict.picture_id, found.path, fresh=False)
        return Recorded(verdict.answer_id)

    async def _flush_refusals(self) -> None:
        """Record the refusals that were held back; one that cannot be kept stops the run gently."""
        for held in self.refusals.release():
            try:
                await self._record_held(held)
            except StorageError as error:  # raised, it would defer a picture that is answered
                self.stop.request(error)

    async def flush_refusals(self) -> None:
        """Record what is held back: as refused, or as deferred where all were refused."""
        for held in self.refusals.release():
            await self._record_held(held)

    async def _record_held(self, held: HeldRefusal) -> None:
        if self.refusals.service_at_fault:
            reason = self.refusals.too_many()
            subject, effort = held.outcome.subject, held.outcome.effort
            await self.recorder.record(Deferred(subject, effort, reason.defer_reason, str(reason)))
            return
        verdict = Decision(held.outcome)

        def keep(ledger: Ledger) -> Recorded:
            if isinstance(held.outcome, Rejected) and held.outcome.error is not None:
                ledger.claims.refused(held.claim, encode_refusal(held.outcome.error))
            return self._remember_file(ledger, held.image, verdict)

        await self.recorder.record(held.outcome, keep)

    async def _defer(self, candidate: Candidate, reason: StopRun, watch: Stopwatch) -> None:
        await self.recorder.record(deferred(candidate, reason.defer_reason, str(reason), watch))


def _was_asked(outcome: Outcome) -> bool:
    """Whether a picture was asked about, or would be in a dry run; twins share that answer."""
    if isinstance(outcome, Deferred):
        return outcome.reason is DeferReason.DRY_RUN and outcome.detail != SHARED
    return isinstance(outcome, Scanned)
