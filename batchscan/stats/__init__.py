"""Statistics of a ledger: what was found, decided, removed and paid, by week or month."""

from batchscan.stats.figures import Statistics, statistics
from batchscan.stats.plots import plots
from batchscan.stats.table import table

__all__ = ["Statistics", "plots", "statistics", "table"]
