"""A dry run: the same limits and budget as a scan, but nothing is sent; it counts what would be."""

from __future__ import annotations

import math

from batchscan.enums import DeferReason, Status
from batchscan.ledger import KnownPicture, LedgerThread
from batchscan.model import Deferred, Image
from batchscan.pace import Clock
from batchscan.pipeline.budget import Budget
from batchscan.pipeline.decision import Plain
from batchscan.pipeline.outcomes import Stopwatch, subject_of
from batchscan.report.schema import Plan
from batchscan.settings import Rate, Settings
from batchscan.settings.units import format_rate
from batchscan.tally import Tally

DAYS_A_MONTH = 365.25 / 12
SHARED = "shares the answer of another picture with the same content, which would be sent"


class DryRunSubmitter:
    """Counts the pictures that would be sent, and what they would cost."""

    def __init__(
        self,
        ledger: LedgerThread,
        budget: Budget,
        tally: Tally,
        clock: Clock,
        *,
        force: bool = False,
        sandbox: bool = False,
    ) -> None:
        self._force = force
        self._sandbox = sandbox
        self._ledger = ledger
        self._budget = budget
        self._tally = tally
        self._clock = clock
        self.pictures = 0  # that would be sent

    async def submit(self, image: Image, known: KnownPicture, watch: Stopwatch) -> Plain:
        """Count a picture as one to be sent, unless the same content is counted already.

        Raises:
            LimitReached: a limit or the budget would not allow it.
        """
        if await self._ledger.run(lambda ledger: ledger.claims.planned(image.sent_sha256)):
            self._tally.planned_shared += 1
            return _planned_to(image, watch, SHARED)
        again = known.answer is not None and not self._force
        async with self._budget.admitted(self._clock.monotonic()):
            reservation, price = await self._budget.reserve(again=again), self._budget.price
            await self._budget.settle(reservation, price)
            await self._ledger.run(lambda ledger: ledger.claims.plan(image.sent_sha256))
        price = 0 if self._sandbox else price  # its mock answers are free
        self._tally.expected += price
        self._tally.planned_bytes += len(image.data)
        if image.sent is not None:
            self._tally.sent_instead(image.sent.recipe, image.format)
        self.pictures += 1
        detail = f"would be sent, for about {price} credit{'' if price == 1 else 's'}"
        return _planned_to(image, watch, detail)


def _planned_to(image: Image, watch: Stopwatch, detail: str) -> Plain:
    return Plain(Deferred(subject_of(image), watch.effort(), DeferReason.DRY_RUN, detail))


def plan_of(settings: Settings, tally: Tally) -> Plan:
    """The plan for the report."""
    return Plan(
        pictures=_planned(tally),
        bytes=tally.planned_bytes,
        shared=tally.planned_shared,
        rate=format_rate(_slowest(settings)),
    )


def least_seconds(settings: Settings, tally: Tally) -> float:
    """Seconds that the planned uploads take at the configured rates."""
    rate = _slowest(settings)
    per_picture = rate.period / rate.requests * (1 + settings.pace.headroom)
    return round(_planned(tally) * per_picture, 1)


def round_days(settings: Settings, tally: Tally, price: int) -> int | None:
    """Days until every picture was sent once, with one run a day; None without a budget."""
    spend = settings.spend
    a_month = None if spend.per_month is None else spend.per_month / DAYS_A_MONTH
    bounds = [most for most in (spend.per_day, a_month, spend.max_credits) if most is not None]
    without = tally.statuses[Status.REJECTED] + tally.statuses[Status.FAILED] + tally.planned_shared
    pictures = tally.seen - without
    if not bounds or not min(bounds):
        return None
    return math.ceil(pictures * price / min(bounds))


def _slowest(settings: Settings) -> Rate:
    return max(settings.pace.rate, key=lambda rate: rate.period / rate.requests)


def _planned(tally: Tally) -> int:
    """Pictures that would be sent, without those that share an answer."""
    return tally.reasons[DeferReason.DRY_RUN] - tally.planned_shared
