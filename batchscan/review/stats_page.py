"""The handler for the page of statistics."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from aiohttp import web

from batchscan.allow.active import ActiveAllowRules
from batchscan.errors import UsageError
from batchscan.review import pages
from batchscan.review.desk import Desk
from batchscan.settings import Settings
from batchscan.state.access import read_ledger
from batchscan.stats import Statistics, plots, statistics
from batchscan.stats.periods import By

MAX_ROWS: Final = 26  # periods that the table names: half a year of weeks
_WORDS: Final = ("found", "reviewed", "not_mine", "noticed", "removed")


def _counted(settings: Settings, by: By) -> Statistics:
    """Count on a connection of its own: of 200,000 matches it takes a second."""
    now = time.time()
    rules = ActiveAllowRules.of(settings, now).rules
    with read_ledger(settings) as ledger:
        return statistics(ledger, by, now, settings.spend.credit_price, rules)


class StatsPage:
    """The page of `batchscan stats`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def page(self, request: web.Request) -> web.Response:
        """Plots and tables, by week or month."""
        by = request.query.get("by", "week")
        if by not in ("week", "month"):
            raise UsageError("by: allowed are week and month")
        settings = self._desk.actions.settings()
        figures = await asyncio.to_thread(_counted, settings, "month" if by == "month" else "week")
        shown = figures.periods[-MAX_ROWS:]
        rows = [(period.start if by == "week" else period.label, period.counts) for period in shown]
        text = pages.render(
            "stats.html",
            figures=figures,
            drawn=plots(figures),
            words=_WORDS,
            periods=[*reversed(rows), ("All", figures.total)],
            hidden=len(figures.periods) - len(shown),
        )
        return pages.html(text)
