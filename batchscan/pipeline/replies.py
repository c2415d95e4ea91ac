"""Handling replies to uploads: for the picture, its claim in the ledger, and the limiter."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from batchscan.engines.interface import (
    Conflict,
    NotSent,
    Refused,
    Reply,
    Success,
    Throttled,
    TokenRejected,
    TransientError,
)
from batchscan.enums import FailReason
from batchscan.errors import AuthRefused
from batchscan.ledger import LearnedRate, Ledger, LedgerThread
from batchscan.model import Answer
from batchscan.pace import Clock, Permit
from batchscan.pipeline.service_access import ServiceAccess
from batchscan.pipeline.settlement import Settler
from batchscan.pipeline.submission import NoAnswer, Submission, SubmissionResult
from batchscan.pipeline.suspicion import Suspicion
from batchscan.settings import Settings
from batchscan.tally import Tally


class Retry(Enum):
    """Send again: the submission has no result yet."""

    NOW = auto()
    AFTER_PAUSE = auto()  # the service failed


@dataclass(slots=True)
class ReplyHandler:
    """Handles the replies to all uploads of a run."""

    settings: Settings
    service: ServiceAccess
    ledger: LedgerThread
    clock: Clock
    tally: Tally
    settler: Settler
    suspicion: Suspicion = field(default_factory=Suspicion)

    async def handle(
        self, submission: Submission, permit: Permit, reply: Reply
    ) -> SubmissionResult | Retry:
        """Settle an answer, or record why there is none; returns whether to send again.

        Raises:
            AuthRefused: the API refused a new token.
            Unavailable: the service was not available, or throttled, for too long.
            StorageError: the ledger cannot be written.
        """
        limiter = self.service.limiter
        match reply:
            case Success():
                self.suspicion.cleared()
                limiter.succeeded(permit)
                image, effort = submission.image, submission.effort()
                return await self.settler.settle(image, submission.sent_claim, effort, reply)
            case Refused():
                limiter.succeeded(permit)
                await self.mark_unsent(submission)
                return reply
            case Conflict():
                limiter.succeeded(permit)
                return await self._after_conflict(submission, reply)
            case Throttled():
                submission.last_error = reply.error
                why = reply.error.message or ""
                try:
                    limiter.throttled(permit, reply.retry_after, away=reply.away, detail=why)
                finally:
                    await self.mark_unsent(submission, limiter.learned)
                return Retry.NOW
            case TransientError():
                return await self._after_trouble(submission, permit, reply)
            case TokenRejected() | NotSent():
                await self.mark_unsent(submission)
                return _after_nothing(submission, reply)

    async def _after_conflict(self, submission: Submission, reply: Conflict) -> NoAnswer | Retry:
        claim, at = submission.sent_claim, self.clock.wall()
        newly_unknown = await self.ledger.run(lambda ledger: ledger.claims.mark_lost(claim, at))
        self.tally.doubts += newly_unknown
        submission.last_error = reply.error
        submission.maybe_charged = True
        submission.conflicts += 1
        if submission.conflicts == 1 and self.settings.api.after_conflict == "new_id":
            submission.generation += 1
            return Retry.NOW
        detail = "the service says that this scan id was used before, and does not give its answer"
        return NoAnswer(FailReason.OUTCOME_UNKNOWN, detail, reply.error)

    async def _after_trouble(
        self, submission: Submission, permit: Permit, reply: TransientError
    ) -> NoAnswer | Retry:
        if reply.ambiguous:
            claim, at = submission.sent_claim, self.clock.wall()
            await self.ledger.run(
                lambda ledger: ledger.claims.mark_unanswered(claim, at, reply.body)
            )
            self.tally.doubts += 1
            submission.maybe_charged = True
        else:
            await self.mark_unsent(submission)
        submission.last_error = reply.error
        retry = Retry.AFTER_PAUSE if reply.reached else Retry.NOW
        if reply.mismatched:
            self.suspicion.raised(reply)
            return retry
        away = self._report_failure(submission, permit, reply)
        submission.attempts += not away  # a failed probe is not the picture's fault
        if submission.attempts < self.settings.api.attempts:
            return retry
        reason = reply.reason
        if reason is FailReason.NETWORK and submission.maybe_charged:
            reason = FailReason.OUTCOME_UNKNOWN
        return NoAnswer(reason, reply.detail, reply.error)

    def _report_failure(
        self, submission: Submission, permit: Permit, reply: TransientError
    ) -> bool:
        """Report trouble to the rate limiter; whether the service counts as unavailable."""
        if reply.worker_lost:
            return False
        return self.service.limiter.failed(
            permit, submission.image.sha256, reached=reply.reached, detail=reply.detail
        )

    async def mark_unsent(self, submission: Submission, learned: LearnedRate | None = None) -> None:
        """Record that the last send cost nothing, and the learned rate, in one transaction.

        Raises:
            StorageError: the ledger cannot be written.
        """
        claim = submission.claim

        def keep(ledger: Ledger) -> None:
            if claim is not None:  # None if the login failed
                ledger.claims.mark_unsent(claim)
            if learned is not None:
                ledger.rate_limits.learn(learned)

        if claim is not None or learned is not None:
            await self.ledger.run(keep)

    def price_of(self, answer: Answer) -> int | None:
        """Credits charged for an answer, from which the budget learns; None if it has none."""
        if answer.credits is None:  # the answer does not state its charge
            self.tally.doubts += 1
            if answer.expected_credits is not None:
                self.service.budget.observe_charge(answer.expected_credits)
            return None
        self.service.budget.observe_charge(answer.credits)
        return answer.credits


def charge_of(reply: Reply) -> int | None:
    """Credits charged for a reply; None if that is not known (yet)."""
    match reply:
        case Success() | Conflict() | TransientError(ambiguous=True):
            return None
        case Refused() | Throttled() | TransientError() | TokenRejected() | NotSent():
            return 0


def _after_nothing(submission: Submission, reply: TokenRejected | NotSent) -> NoAnswer | Retry:
    """The next step after a request that the service did not process."""
    if isinstance(reply, NotSent):
        return NoAnswer(reply.reason, reply.detail, None)
    submission.tokens_refused += 1
    if submission.tokens_refused == 1:
        return Retry.NOW
    error = reply.error
    trouble = f"HTTP {error.http_status}" + (f": {error.message}" if error.message else "")
    raise AuthRefused(
        f"the API refused a fresh token ({trouble})",
        advice="check that the account may use the API; see `batchscan doctor`",
    )
