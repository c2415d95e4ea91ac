"""Submitting one picture to the service: reserve ► pace ► claim ► upload ► settle, with retries.

Nothing is cancelled between claim and settlement: the request may already be paid for.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from batchscan.engines.interface import (
    Conflict,
    Engine,
    NotSent,
    Refused,
    Reply,
    Success,
    Throttled,
    TokenRejected,
    TransientError,
)
from batchscan.enums import FailReason
from batchscan.errors import AuthRefused, Interrupted, StopRun
from batchscan.ledger import KnownPicture, LearnedRate, Ledger, LedgerThread
from batchscan.model import Answer, Claim, Image, ServiceError
from batchscan.pace import Clock, Permit, RateLimiter
from batchscan.pace.outage import backoff
from batchscan.pipeline.budget import Budget, Reservation
from batchscan.pipeline.decision import Decision
from batchscan.pipeline.outcomes import Stopwatch
from batchscan.pipeline.request_stats import RequestStats
from batchscan.pipeline.settlement import Settled, Settler
from batchscan.pipeline.shutdown import Shutdown
from batchscan.pipeline.submission import NoAnswer, Submission, SubmissionResult
from batchscan.pipeline.suspicion import Suspicion
from batchscan.settings import Settings
from batchscan.state.access import StillLocked
from batchscan.tally import Tally


@dataclass(slots=True)
class ApiSubmitter:
    """Submits pictures until they are answered, refused or failed, within budget and rate."""

    run_id: str
    settings: Settings
    engine: Engine
    ledger: LedgerThread
    limiter: RateLimiter
    budget: Budget
    stop: Shutdown
    clock: Clock
    tally: Tally
    stats: RequestStats
    settler: Settler
    still_locked: StillLocked
    suspicion: Suspicion = field(default_factory=Suspicion)
    jitter: random.Random = field(default_factory=random.Random)

    async def submit(self, image: Image, known: KnownPicture, watch: Stopwatch) -> Decision:
        """Send until there is a final result, and settle an answer.

        Raises:
            StopRun: the run stops, and nothing of this picture was charged.
        """
        generation = known.generation if known.open else known.generation + 1
        again = known.answer is not None and not self.settings.force
        submission = Submission(image, generation, watch, is_rescan=again)
        async with self.budget.admitted(self.clock.monotonic()):
            try:
                result: SubmissionResult | None = None
                while result is None:
                    async with self.suspicion.turn():
                        result, troubled = await self._ask_once(submission)
                    if troubled:
                        await self.stop.sleep(backoff(max(1, submission.attempts), self.jitter))
            except StopRun as stop:
                self.stop.request(stop)  # before others find the limit reached
                if not submission.maybe_charged:
                    raise
                detail = "sent, but the run stopped before an answer came; the next run asks again"
                result = NoAnswer(FailReason.OUTCOME_UNKNOWN, detail, submission.last_error)
        return submission.decision(result)

    async def _ask_once(self, submission: Submission) -> tuple[SubmissionResult | None, bool]:
        """Reserve, wait, send, handle the reply; whether to wait then. Nobody keeps the reply."""
        self.stop.raise_if_halted()
        reservation = await self.budget.reserve(again=submission.is_rescan)
        charged: int | None = 0
        try:
            permit, trouble = await self._acquire_permit(submission.image, reservation)
            if permit is None:
                return None, False
            reply = trouble or await self._send(submission, permit)
            charged = self._charge_for(reply)
            ending = await self._handle_reply(submission, permit, reply)
            if isinstance(ending, Settled):
                charged = self._price_of_answer(ending.answer)
        finally:
            self.settler.long_bodies.release(submission.image.path)
            await self.budget.settle(reservation, charged)
        return ending, ending is None and isinstance(reply, TransientError) and reply.reached

    async def _acquire_permit(
        self, image: Image, reservation: Reservation
    ) -> tuple[Permit | None, Throttled | TransientError | None]:
        """Wait until a request may be sent; returns the reason if logging in failed.

        Without a `Permit` it may not be sent: the price has risen beyond what is reserved, or
        another picture has to show first that answers can be trusted.
        """
        while True:
            await self.engine.acquire_host_slot(image)
            permit = await self.limiter.acquire()
            if permit is None:
                self.stop.raise_if_halted()
                raise Interrupted
            try:
                self.stop.raise_if_halted()
                self.budget.check_deadline(self.clock.monotonic())
                if self.engine.has_token:
                    if self.suspicion.may_send() and self.budget.still_covers(reservation):
                        return permit, None
                    self.limiter.release(permit)
                    return None, None
                trouble = await self.engine.ensure_token()
            except StopRun:
                self.limiter.release(permit)
                raise
            if trouble is not None:
                return permit, trouble
            # Logging in took time: all requests that waited for it would be sent at once.
            self.limiter.release(permit)

    async def _send(self, submission: Submission, permit: Permit) -> Reply:
        """Claim, then upload once; if this raises, nothing was charged."""
        image, generation = submission.image, submission.generation
        at = self.clock.wall()

        def claim(ledger: Ledger) -> Claim:
            self.still_locked()  # on the ledger's thread: a slow disk must not block the loop
            ledger.rate_limits.sent(at)
            return ledger.claims.open(image, generation, self.run_id, at)

        try:
            submission.claim = opened = await self.ledger.run(claim)
        except StopRun:
            self.limiter.release(permit)
            raise
        submission.requests += 1
        self.stats.requests += 1
        self.stats.retries += submission.requests > 1
        self.stats.bytes_sent += image.sent.bytes if image.sent else image.stat.size
        try:
            reply = await self.engine.upload(
                opened.scan_id,
                image,
                lambda: self.limiter.mark_sent(permit),
                lambda: self.settler.long_bodies.take(image.path),
            )
        except StopRun:
            self.limiter.release(permit)
            await self._mark_unsent(submission)
            raise
        if permit.sent_at is not None and not isinstance(reply, TransientError):
            self.stats.latencies.add((self.clock.monotonic() - permit.sent_at) * 1000)
        return reply

    def _charge_for(self, reply: Reply) -> int | None:
        """Credits charged for a reply; None if that is not known (yet)."""
        match reply:
            case Success() | Conflict() | TransientError(ambiguous=True):
                return None
            case Refused() | Throttled() | TransientError() | TokenRejected() | NotSent():
                return 0

    def _price_of_answer(self, answer: Answer) -> int | None:
        if answer.credits is None:  # the answer does not state its charge
            self.tally.doubts += 1
            return None
        self.budget.observe_charge(answer.credits)
        return answer.credits

    async def _handle_reply(
        self, submission: Submission, permit: Permit, reply: Reply
    ) -> SubmissionResult | None:
        """Handle a reply; None to send again."""
        match reply:
            case Success():
                self.suspicion.cleared()
                self.limiter.succeeded(permit)
                image, effort = submission.image, submission.effort()
                return await self.settler.settle(image, submission.sent_claim, effort, reply)
            case Refused():
                self.limiter.succeeded(permit)
                await self._mark_unsent(submission)
                return reply
            case Conflict():
                self.limiter.succeeded(permit)
                return await self._after_conflict(submission, reply)
            case Throttled():
                submission.last_error = reply.error
                why = reply.error.message or ""
                try:
                    self.limiter.throttled(permit, reply.retry_after, away=reply.away, detail=why)
                finally:
                    await self._mark_unsent(submission, self.limiter.learned)
                return None
            case TransientError():
                return await self._after_trouble(submission, permit, reply)
            case TokenRejected() | NotSent():
                self.limiter.release(permit)
                await self._mark_unsent(submission)
                return _after_nothing(submission, reply)

    async def _after_conflict(
        self, submission: Submission, reply: Conflict
    ) -> SubmissionResult | None:
        claim, at = submission.sent_claim, self.clock.wall()
        newly_unknown = await self.ledger.run(lambda ledger: ledger.claims.mark_lost(claim, at))
        self.tally.doubts += newly_unknown
        submission.last_error = reply.error
        submission.maybe_charged = True
        submission.conflicts += 1
        if submission.conflicts == 1 and self.settings.api.after_conflict == "new_id":
            submission.generation += 1
            return None
        detail = "the service says that this scan id was used before, and does not give its answer"
        return NoAnswer(FailReason.OUTCOME_UNKNOWN, detail, reply.error)

    async def _after_trouble(
        self, submission: Submission, permit: Permit, reply: TransientError
    ) -> SubmissionResult | None:
        if reply.ambiguous:
            claim, at = submission.sent_claim, self.clock.wall()
            await self.ledger.run(
                lambda ledger: ledger.claims.mark_unanswered(claim, at, reply.body)
            )
            self.tally.doubts += 1
            submission.maybe_charged = True
        else:
            await self._mark_unsent(submission)
        submission.last_error = reply.error
        if reply.other:
            self.limiter.release(permit)
            self.suspicion.raised(reply)
            return None
        away = self._report_failure(submission, permit, reply)
        submission.attempts += not away  # a failed probe is not the picture's fault
        if submission.attempts < self.settings.api.attempts:
            return None
        reason = reply.reason
        if reason is FailReason.NETWORK and submission.maybe_charged:
            reason = FailReason.OUTCOME_UNKNOWN
        return NoAnswer(reason, reply.detail, reply.error)

    def _report_failure(
        self, submission: Submission, permit: Permit, reply: TransientError
    ) -> bool:
        """Report trouble to the rate limiter; whether the service counts as unavailable."""
        if reply.worker_lost:
            self.limiter.release(permit)
            return False
        picture = submission.image.sha256
        return self.limiter.failed(permit, picture, reached=reply.reached, detail=reply.detail)

    async def _mark_unsent(
        self, submission: Submission, learned: LearnedRate | None = None
    ) -> None:
        """Record that the last send cost nothing, and the learned rate, in one transaction."""
        claim = submission.claim

        def keep(ledger: Ledger) -> None:
            if claim is not None:  # None if the login failed
                ledger.claims.mark_unsent(claim)
            if learned is not None:
                ledger.rate_limits.learn(learned)

        if claim is not None or learned is not None:
            await self.ledger.run(keep)


def _after_nothing(
    submission: Submission, reply: TokenRejected | NotSent
) -> SubmissionResult | None:
    """The result of a request that never reached the service; None to send again."""
    if isinstance(reply, NotSent):
        return NoAnswer(reply.reason, reply.detail, None)
    submission.tokens_refused += 1
    if submission.tokens_refused > 1:
        raise _auth_refused(reply.error)
    return None


def _auth_refused(error: ServiceError) -> AuthRefused:
    trouble = f"HTTP {error.http_status}" + (f": {error.message}" if error.message else "")
    return AuthRefused(
        f"the API refused a fresh token ({trouble})",
        advice="check that the account may use the API; see `batchscan doctor`",
    )
