"""Access to the service in a run: what sends pictures, how fast, and for how many credits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field

from batchscan.engines.interface import Engine
from batchscan.engines.local import open_engine
from batchscan.ledger import LedgerThread, Prices
from batchscan.pace import AwakeClock, Clock, RateLimiter
from batchscan.pipeline.budget import Budget
from batchscan.pipeline.calendar_budget import CalendarBudget
from batchscan.pipeline.request_stats import RequestStats
from batchscan.pipeline.shutdown import Shutdown
from batchscan.settings import Settings
from batchscan.state.access import OpenState


@dataclass(frozen=True, slots=True)
class ServiceAccess:
    """The engine that sends, and the limits that all requests share."""

    engine: Engine
    limiter: RateLimiter
    budget: Budget
    stats: RequestStats = field(default_factory=RequestStats)


@asynccontextmanager
async def open_service(
    settings: Settings, state: OpenState, clock: Clock, stop: Shutdown
) -> AsyncIterator[ServiceAccess]:
    """Open the engine and the limits of a run, with what earlier runs have sent and spent.

    Raises:
        UsageError: the cluster cannot be used.
        StorageError: the ledger cannot be read.
    """
    async with AwakeClock(clock.monotonic) as awake:
        limiter = await _open_limiter(settings, state.ledger, clock, awake)
        budget = await _open_budget(settings, state.ledger, clock)
        stop.on_halt(limiter.close)
        token_file = state.folder / "token.json"
        engine = await open_engine(settings, token_file, clock, awake.seconds, stop.raise_if_halted)
        stop.on_halt(engine.cancel_waits)
        async with aclosing(engine):
            yield ServiceAccess(engine, limiter, budget)


async def _open_limiter(
    settings: Settings, ledger: LedgerThread, clock: Clock, awake: AwakeClock
) -> RateLimiter:
    """The rate limiter with the recent requests and the learned rate of earlier runs."""
    pace, retry_for = settings.pace, settings.api.retry_for
    limiter = RateLimiter(pace.rate, pace.headroom, retry_for, clock, awake=awake.seconds)
    since = clock.wall() - limiter.longest_window
    sends = await ledger.run(lambda ledger: ledger.rate_limits.sends_since(since))
    learned = await ledger.run(lambda ledger: ledger.rate_limits.learned())
    limiter.restore(sends, learned)
    return limiter


async def _open_budget(settings: Settings, ledger: LedgerThread, clock: Clock) -> Budget:
    """The run's budget, with what was spent today and this month."""
    charges = await ledger.run(lambda ledger: ledger.claims.charges())
    price = max(1, Prices(charges).largest or 0)
    windows = await ledger.run(
        lambda ledger: CalendarBudget.of(
            settings.spend,
            clock.wall,
            lambda since, most: ledger.charges.since(since, price, most),
        )
    )
    return Budget(settings.spend, charges, clock.monotonic(), windows)
