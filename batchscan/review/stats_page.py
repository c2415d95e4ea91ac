"""Answers to requests about what was found and decided over time."""

from __future__ import annotations

import time
from typing import Final

from aiohttp import web

from batchscan.errors import UsageError
from batchscan.review import pages
from batchscan.review.desk import Desk
from batchscan.stats import plots, statistics

MAX_ROWS: Final = 26  # periods that the table names: half a year of weeks
_WORDS: Final = ("found", "reviewed", "not_mine", "noticed", "removed")


class StatsPage:
    """The page of `batchscan stats`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def page(self, request: web.Request) -> web.Response:
        """Plots and tables, by week or month."""
        by = request.query.get("by", "week")
        if by not in ("week", "month"):
            raise UsageError("by: allowed are week and month")
        parted = by
        found = await self._desk.ledger.read(
            lambda ledger: statistics(ledger, "month" if parted == "month" else "week", time.time())
        )
        shown = found.periods[-MAX_ROWS:]
        rows = [(each.start if by == "week" else each.label, each.counts) for each in shown]
        text = pages.render(
            "stats.html",
            found=found,
            drawn=plots(found),
            words=_WORDS,
            periods=[*reversed(rows), ("All", found.total)],
            hidden=len(found.periods) - len(shown),
        )
        return pages.html(text)
