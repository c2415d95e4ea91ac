"""The dry run's stand-in for asking: the same limits and budget, and nothing is sent."""

from __future__ import annotations

from batchscan.enums import DeferReason
from batchscan.ledger import KnownPicture, LedgerThread
from batchscan.model import Deferred, Image
from batchscan.pace import Clock
from batchscan.pipeline.budget import Budget
from batchscan.pipeline.outcomes import Stopwatch, subject_of
from batchscan.pipeline.submission import Submission, SubmissionResult
from batchscan.tally import Tally

SHARED = "shares the answer of another picture with the same content, which would be sent"


class DryRunSubmitter:
    """Says what would be asked, and reckons what it would cost."""

    def __init__(
        self,
        ledger: LedgerThread,
        budget: Budget,
        tally: Tally,
        clock: Clock,
        *,
        force: bool = False,
    ) -> None:
        self._force = force
        self._ledger = ledger
        self._budget = budget
        self._tally = tally
        self._clock = clock
        self.pictures = 0  # that would be sent

    async def submit(
        self, image: Image, known: KnownPicture, watch: Stopwatch
    ) -> tuple[SubmissionResult, Submission]:
        """Plan to send a picture, or find that its twin is planned already.

        Raises:
            LimitReached: a limit or the budget would keep it back.
        """
        submission = Submission(image, known.generation, watch)
        if await self._ledger.run(lambda ledger: ledger.claims.planned(image.sent_sha256)):
            return self._twin(image, watch), submission
        again = known.answer is not None and not self._force
        async with self._budget.admitted(self._clock.monotonic()):
            reservation, price = await self._budget.reserve(again=again), self._budget.price
            await self._budget.settle(reservation, price)
            await self._ledger.run(lambda ledger: ledger.claims.plan(image.sent_sha256))
        self._tally.expected += price
        self._tally.planned_bytes += len(image.data)
        self.pictures += 1
        detail = f"would be sent, for about {price} credit{'' if price == 1 else 's'}"
        return Deferred(subject_of(image), watch.effort(), DeferReason.DRY_RUN, detail), submission

    def _twin(self, image: Image, watch: Stopwatch) -> Deferred:
        self._tally.planned_shared += 1
        return Deferred(subject_of(image), watch.effort(), DeferReason.DRY_RUN, SHARED)
