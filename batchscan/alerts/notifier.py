"""The alerts of a run; none in dry runs and sandbox runs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from batchscan.alerts import AlertTarget, DeliveryResult, deliver, make_messages, open_targets
from batchscan.allow.active import ActiveAllowRules
from batchscan.ledger import Ledger, LedgerThread
from batchscan.pace import Clock
from batchscan.report.schema import Alerts, AlertTrouble
from batchscan.settings import Settings


@dataclass(frozen=True, slots=True)
class Notifier:
    """The alert targets of a run, and which matches they get."""

    targets: tuple[AlertTarget, ...] = ()
    first_answers: bool = True
    is_rehearsal: bool = False  # a dry run or a sandbox, which have no events

    @classmethod
    def of(cls, settings: Settings, environ: Mapping[str, str], clock: Clock) -> Notifier:
        """Look for the targets that settings name; blocking.

        Raises:
            UsageError: one of them cannot be used as it is.
        """
        if settings.dry_run or settings.api.sandbox:
            return cls(is_rehearsal=True)
        targets = open_targets(settings.alerts, environ, clock.wall)
        return cls(targets, settings.alerts.first_answer == "tell")

    def make_messages(self, ledger: Ledger, allowing: ActiveAllowRules, now: float) -> None:
        """Turn the recorded events into messages, in one transaction."""
        if not self.is_rehearsal:
            make_messages(
                ledger,
                [target.name for target in self.targets],
                allows=allowing.allows if allowing.rules.rules else None,
                first_answers=self.first_answers,
                now=now,
            )

    def status(self, ledger: Ledger, delivered: DeliveryResult | None = None) -> Alerts | None:
        """Delivered and pending messages, for the report; None without a target."""
        if not self.targets:
            return None
        names = {target.name for target in self.targets}
        done = delivered or DeliveryResult()
        waiting = {
            summary.target: summary.messages
            for summary in ledger.outbox.pending()
            if summary.target in names
        }
        return Alerts(
            told=done.sent.total(),
            pending=sum(waiting.values()),
            troubles=[
                AlertTrouble(target=name, pending=waiting.get(name, 0), trouble=why)
                for name, why in sorted(done.troubles.items())
            ],
        )

    async def send(
        self, ledger: LedgerThread, clock: Clock, hurry: asyncio.Event
    ) -> DeliveryResult:
        """Try to send the pending messages of all targets; `hurry` ends that early."""
        return await deliver(self.targets, ledger, clock, hurry)
