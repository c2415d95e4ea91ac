"""Every setting, where it came from, and what it may be."""

from batchscan.settings.model import (
    Account,
    Api,
    Output,
    Pace,
    Rate,
    Scan,
    Secret,
    Settings,
    Spend,
    Takedown,
)

__all__ = [
    "Account",
    "Api",
    "Output",
    "Pace",
    "Rate",
    "Scan",
    "Secret",
    "Settings",
    "Spend",
    "Takedown",
]
