"""Submitting one picture to the service: reserve ► pace ► claim ► upload ► settle, with retries.

Nothing is cancelled between claim and settlement: the request may already be paid for.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from batchscan.engines.interface import Reply, Throttled, TransientError
from batchscan.enums import FailReason
from batchscan.errors import Interrupted, StopRun
from batchscan.ledger import KnownPicture, Ledger
from batchscan.model import Claim, Image
from batchscan.pace import Clock, Permit
from batchscan.pace.outage import backoff
from batchscan.pipeline.budget import Reservation
from batchscan.pipeline.decision import Decision
from batchscan.pipeline.long_answers import LongAnswers
from batchscan.pipeline.outcomes import Stopwatch
from batchscan.pipeline.replies import ReplyHandler, Retry, charge_of
from batchscan.pipeline.service_access import ServiceAccess
from batchscan.pipeline.settlement import Settled
from batchscan.pipeline.shutdown import Shutdown
from batchscan.pipeline.submission import NoAnswer, Submission, SubmissionResult
from batchscan.settings import Settings
from batchscan.state.access import OpenState

LoginFailure: TypeAlias = Throttled | TransientError


@dataclass(slots=True)
class ApiSubmitter:
    """Submits pictures until they are answered, refused or failed, within budget and rate."""

    run_id: str
    settings: Settings
    service: ServiceAccess
    state: OpenState
    stop: Shutdown
    clock: Clock
    replies: ReplyHandler
    long_bodies: LongAnswers  # that are received and stored
    jitter: random.Random = field(default_factory=random.Random)

    async def submit(self, image: Image, known: KnownPicture, watch: Stopwatch) -> Decision:
        """Send until there is a final result, and settle an answer.

        Raises:
            StopRun: the run stops, and nothing of this picture was charged.
        """
        generation = known.generation if known.open else known.generation + 1
        again = known.answer is not None and not self.settings.force
        submission = Submission(image, generation, watch, is_rescan=again)
        async with self.service.budget.admitted(self.clock.monotonic()):
            try:
                while isinstance(result := await self._attempt(submission), Retry):
                    if result is Retry.AFTER_PAUSE:
                        await self._pause(submission)
            except StopRun as stop:
                self.stop.request(stop)  # before others find the limit reached
                if not submission.maybe_charged:
                    raise
                detail = "sent, but the run stopped before an answer came; the next run asks again"
                result = NoAnswer(FailReason.OUTCOME_UNKNOWN, detail, submission.last_error)
        return submission.decision(result)

    async def _pause(self, submission: Submission) -> None:
        """Wait before another attempt, but not beyond the run's deadline."""
        seconds = backoff(max(1, submission.attempts), self.jitter)
        left = self.service.budget.deadline - self.clock.monotonic()
        await self.stop.sleep(max(0.0, min(seconds, left)))

    async def _attempt(self, submission: Submission) -> SubmissionResult | Retry:
        """Send once and handle the reply. Nobody keeps the reply, which may be long."""
        image, path = submission.image, submission.image.path
        self.stop.raise_if_halted()
        async with (
            self.replies.suspicion.turn(),
            self.service.budget.reserved(again=submission.is_rescan) as reservation,
            self._paced(image) as (permit, login_failure),
        ):
            if login_failure is None and not self._may_send(reservation):
                return Retry.NOW
            with self.long_bodies.released_after(path):
                reply = login_failure or await self._send(submission, permit)
                reservation.charged = charge_of(reply)
                result = await self.replies.handle(submission, permit, reply)
            if isinstance(result, Settled):
                reservation.charged = self.replies.price_of(result.answer)
            return result

    @asynccontextmanager
    async def _paced(self, image: Image) -> AsyncIterator[tuple[Permit, LoginFailure | None]]:
        """Wait until a request may be sent, and log in before the first one.

        Yields the permit, which is released at the end of the block, and why there is no token.
        """
        service = self.service
        while True:
            deadline = service.budget.deadline
            await service.engine.acquire_host_slot(image, deadline)
            permit = await service.limiter.acquire(deadline)
            if permit is None:
                self.stop.raise_if_halted()
                service.budget.check_deadline(self.clock.monotonic())
                raise Interrupted
            try:
                self.stop.raise_if_halted()
                service.budget.check_deadline(self.clock.monotonic())
                had_token = service.engine.has_token
                failure = None if had_token else await service.engine.ensure_token()
                if had_token or failure is not None:
                    yield permit, failure
                    return
            finally:
                service.limiter.release(permit)
            # Logging in took time: all requests that waited for it would be sent at once.

    def _may_send(self, reservation: Reservation) -> bool:
        """Whether answers are trusted, and the reservation covers the price known now."""
        trusted = self.replies.suspicion.may_send()
        return trusted and self.service.budget.still_covers(reservation)

    async def _send(self, submission: Submission, permit: Permit) -> Reply:
        """Claim, then upload once; if this raises, nothing was charged."""
        image, generation = submission.image, submission.generation
        at = self.clock.wall()

        def claim(ledger: Ledger) -> Claim:
            self.state.still_locked()  # on the ledger's thread: a slow disk must not block the loop
            ledger.check_in_place()
            ledger.rate_limits.sent(at)
            return ledger.claims.open(image, generation, self.run_id, at)

        submission.claim = opened = await self.state.ledger.run(claim)
        submission.requests += 1
        stats = self.service.stats
        stats.count(image, again=submission.requests > 1)
        try:
            reply = await self.service.engine.upload(
                opened.scan_id,
                image,
                lambda: self.service.limiter.mark_sent(permit),
                lambda: self.long_bodies.take(image.path),
            )
        except StopRun:
            await self.replies.mark_unsent(submission)
            raise
        if permit.sent_at is not None and not isinstance(reply, TransientError):
            stats.latencies.add((self.clock.monotonic() - permit.sent_at) * 1000)
        return reply
