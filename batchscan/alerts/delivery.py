"""Delivering pending messages in order, with a few attempts in each run."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from batchscan.alerts.interface import AlertTarget, DeliveryFailure, RetryPolicy
from batchscan.errors import StorageError
from batchscan.ledger import Ledger, LedgerThread, Message
from batchscan.pace import Clock
from batchscan.pace.outage import backoff

ATTEMPTS = 5  # at one message in one run
PATIENCE = 60.0  # seconds that a target may take without a success
MAX_LENGTH = 600.0  # seconds after which no target gets another message in this run
GRACE = 3.0  # seconds for an attempt in progress after a signal
log = logging.getLogger(__name__)


@dataclass(slots=True)
class DeliveryResult:
    """The result of a delivery."""

    sent: Counter[str] = field(default_factory=Counter)  # messages, by the target's name
    troubles: dict[str, str] = field(default_factory=dict)  # the same


async def deliver(
    targets: Sequence[AlertTarget], ledger: LedgerThread, clock: Clock, hurry: asyncio.Event
) -> DeliveryResult:
    """Send all pending messages to their targets, the oldest first, also those of earlier runs.

    Errors of targets are not raised: their messages stay pending.

    Args:
        targets: the targets, which are served concurrently.
        ledger: has the messages.
        clock: for pauses and limits; one attempt is limited by the event loop's clock.
        hurry: when set, no further attempt is started.
    """
    delivered = DeliveryResult()
    async with asyncio.TaskGroup() as group:
        for target in targets:
            group.create_task(_Delivery(target, ledger, clock, hurry, delivered).take())
    for name, trouble in delivered.troubles.items():
        log.warning("%s did not get all alerts: %s", name, trouble)
    return delivered


@dataclass(slots=True)
class _Delivery:
    """The delivery to one target."""

    target: AlertTarget
    ledger: LedgerThread
    clock: Clock
    hurry: asyncio.Event
    delivered: DeliveryResult
    jitter: random.Random = field(default_factory=random.Random)
    patience: float = 0.0  # on the monotonic clock

    async def take(self) -> None:
        """Send until nothing is pending, or the target fails too long."""
        try:
            trouble = await self._send_all()
        except StorageError as error:  # what was delivered now is sent again, under the same id
            trouble = DeliveryFailure(str(error))
        if trouble is not None:
            self.delivered.troubles[self.target.name] = trouble.what

    async def _send_all(self) -> DeliveryFailure | None:
        self._be_patient()
        until = self.clock.monotonic() + MAX_LENGTH
        trouble, passed = None, 0.0
        while not self.hurry.is_set() and (message := await self._next(passed)):
            if self.clock.monotonic() >= until:
                return DeliveryFailure(
                    f"more had to be sent than fits into {MAX_LENGTH / 60:.0f} minutes"
                )
            failed = await self._send(message)
            if failed is not None and failed.then is not RetryPolicy.NEXT_MESSAGE:
                return failed
            trouble, passed = failed or trouble, message.made_at
        return trouble

    def _be_patient(self) -> None:
        self.patience = self.clock.monotonic() + PATIENCE

    async def _next(self, passed: float) -> Message | None:
        name = self.target.name
        return await self.ledger.run(lambda ledger: ledger.outbox.next_pending(name, passed))

    async def _send(self, message: Message) -> DeliveryFailure | None:
        """Send a message until it is delivered, or no further attempt makes sense."""
        trouble = None
        for attempt in range(1, ATTEMPTS + 1):
            left = self.patience - self.clock.monotonic()
            trouble = await send_once(self.target, message.id, message.body, self.hurry, left)
            await self._enter(message, trouble)
            if trouble is None:
                self._be_patient()
                self.delivered.sent[self.target.name] += 1
                return None
            log.info("%s did not get a message: %s", self.target.name, trouble.what)
            if trouble.then is not RetryPolicy.TRY_AGAIN or not await self._pause(attempt, trouble):
                break
        return trouble

    async def _enter(self, message: Message, trouble: DeliveryFailure | None) -> None:
        at = self.clock.wall()

        def enter(ledger: Ledger) -> None:
            if trouble is None:
                ledger.outbox.mark_delivered(message.id, at)
            else:
                ledger.outbox.mark_failed(message.id, at, trouble.what)

        await self.ledger.run(enter)

    async def _pause(self, attempt: int, trouble: DeliveryFailure) -> bool:
        """Wait before another attempt; False without one."""
        seconds = max(trouble.after, backoff(attempt, self.jitter))
        if attempt == ATTEMPTS or self.clock.monotonic() + seconds >= self.patience:
            return False
        await self.clock.wait(self.hurry, seconds)
        return not self.hurry.is_set()


async def send_once(
    target: AlertTarget, message_id: str, body: bytes, hurry: asyncio.Event, most: float = PATIENCE
) -> DeliveryFailure | None:
    """Send a message once, in the target's time, in `most` seconds, or in a few when it is urgent."""
    seconds = max(1.0, min(target.seconds, most))
    try:
        async with asyncio.timeout(seconds) as timer:
            hurrying = asyncio.create_task(_hurry_on(timer, hurry))
            try:
                return await target.send(message_id, body)
            finally:
                hurrying.cancel()
    except TimeoutError:
        why = "it was cancelled" if hurry.is_set() else f"no result after {seconds:.0f} s"
        return DeliveryFailure(why)


async def _hurry_on(timer: asyncio.Timeout, hurry: asyncio.Event) -> None:
    await hurry.wait()
    soon = asyncio.get_running_loop().time() + GRACE
    timer.reschedule(min(timer.when() or soon, soon))
