"""Recording decisions: a file's line, and its row in the ledger, so that it is not opened again."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from batchscan.errors import StorageError
from batchscan.ledger import FreshnessPolicy, Ledger
from batchscan.model import Covered, Deferred, Failed, Image, Rejected, Stat
from batchscan.pipeline.decision import Decision, Plain, RefusedNow, Stored
from batchscan.pipeline.outcomes import encode_refusal
from batchscan.pipeline.recorder import Recorded, Recorder
from batchscan.pipeline.refusal_breaker import HeldRefusal, RefusalBreaker
from batchscan.pipeline.settlement import Settled
from batchscan.pipeline.shutdown import Shutdown


@dataclass(slots=True)
class DecisionRecorder:
    """Records decisions; refusals only once another picture was accepted."""

    freshness: FreshnessPolicy
    recorder: Recorder
    stop: Shutdown
    refusals: RefusalBreaker = field(default_factory=RefusalBreaker)

    async def record(self, image: Image, decision: Decision) -> None:
        """Record a decision for the file that was inspected.

        Raises:
            StorageError: the ledger or results.jsonl cannot be written.
        """
        match decision:
            case Settled(outcome=outcome, line=line):
                await self.recorder.publish(outcome, line)
            case Stored(outcome=outcome):
                await self.recorder.record(outcome, partial(_remember_answer, image, decision))
            case RefusedNow():
                await self._hold(HeldRefusal(image, decision))
            case Plain():
                await self.record_plain(decision, image.stat)

    async def record_plain(self, decision: Plain, stat: Stat | None) -> None:
        """Record a decision without an answer for a file with this stat.

        Raises:
            StorageError: the ledger or results.jsonl cannot be written.
        """
        outcome = decision.outcome
        if not isinstance(outcome, Rejected) or stat is None:
            await self.recorder.record(outcome)
            return
        by_conversion = decision.by_conversion

        def keep(ledger: Ledger) -> Recorded:
            self._remember_rejection(ledger, outcome, stat, by_conversion=by_conversion)
            return Recorded()

        await self.recorder.record(outcome, keep)

    async def flush_refusals(self) -> None:
        """Record the refusals held back: as refused, or as deferred if too many came in a row.

        Raises:
            StorageError: the ledger or results.jsonl cannot be written.
        """
        for held in self.refusals.release():
            await self._record_held(held)

    async def accept_refusals(self) -> None:
        """Record the refusals held back, as a picture was accepted.

        A full disk stops the run without an exception: that would defer the answered picture.
        """
        for held in self.refusals.release():
            try:
                await self._record_held(held)
            except StorageError as error:
                self.stop.request(error)

    async def _hold(self, held: HeldRefusal) -> None:
        if self.refusals.refused(held):
            self.stop.request(self.refusals.too_many())
            await self.flush_refusals()

    async def _record_held(self, held: HeldRefusal) -> None:
        outcome, claim = held.refusal.outcome, held.refusal.claim
        if self.refusals.service_at_fault:
            reason = self.refusals.too_many()
            subject, effort = outcome.subject, outcome.effort
            await self.recorder.record(Deferred(subject, effort, reason.defer_reason, str(reason)))
            return

        def keep(ledger: Ledger) -> Recorded:
            if isinstance(outcome, Rejected) and outcome.error is not None:
                ledger.claims.refused(claim, encode_refusal(outcome.error))
                self._remember_rejection(ledger, outcome, held.image.stat)
            return Recorded()

        await self.recorder.record(outcome, keep)

    def _remember_rejection(
        self, ledger: Ledger, outcome: Rejected, stat: Stat, *, by_conversion: bool = False
    ) -> None:
        rules = self.freshness.all_rules if by_conversion else self.freshness.rules
        line = self.recorder.rejection_line(outcome)
        ledger.files.upsert(outcome.subject.path, stat, rules=rules, line=line)


def _remember_answer(image: Image, decision: Stored, ledger: Ledger) -> Recorded:
    picture_id = decision.picture_id
    if not isinstance(decision.outcome, Failed):
        own = image.sha256 if decision.equal else None
        ledger.files.upsert(image.path, image.stat, picture_id=picture_id, sha256=own)
    covered = isinstance(decision.outcome, Covered)
    ledger.report_pictures.add(picture_id, image.path, fresh=False, covered=covered)
    return Recorded(decision.answer_id)
