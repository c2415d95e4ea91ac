"""Find out where on the web copies of a whole folder of pictures turned up.

import batchscan

settings = batchscan.Settings(
roots=("./images",),
account=batchscan.Account(email="me@example.com", api_key=batchscan.Secret("...")),
)
async with batchscan.scan(settings) as run:
async for outcome in run:
print(outcome.status, outcome.subject.path)
print(run.report.matches.total)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from batchscan.enums import Status
    from batchscan.errors import BatchscanError
    from batchscan.model import Covered, Deferred, Failed, Outcome, Rejected, Reused, Scanned
    from batchscan.report.schema import Report
    from batchscan.run import Scan, scan
    from batchscan.settings import (
        Account,
        Alerts,
        Api,
        Engine,
        Output,
        Pace,
        Rate,
        Secret,
        Send,
        Settings,
        Spend,
        Takedown,
        Webhook,
    )
    from batchscan.settings import Scan as ScanSettings

__all__ = [
    "Account",
    "Alerts",
    "Api",
    "BatchscanError",
    "Covered",
    "Deferred",
    "Engine",
    "Failed",
    "Outcome",
    "Output",
    "Pace",
    "Rate",
    "Rejected",
    "Report",
    "Reused",
    "Scan",
    "ScanSettings",
    "Scanned",
    "Secret",
    "Send",
    "Settings",
    "Spend",
    "Status",
    "Takedown",
    "Webhook",
    "scan",
]

_HOMES = {
    "batchscan.errors": ("BatchscanError",),
    "batchscan.model": (
        "Covered",
        "Deferred",
        "Failed",
        "Outcome",
        "Rejected",
        "Reused",
        "Scanned",
    ),
    "batchscan.enums": ("Status",),
    "batchscan.report.schema": ("Report",),
    "batchscan.run": ("Scan", "scan"),
    "batchscan.settings": (
        "Account",
        "Alerts",
        "Api",
        "Engine",
        "Output",
        "Pace",
        "Rate",
        "Secret",
        "Send",
        "Settings",
        "Spend",
        "Takedown",
        "Webhook",
    ),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the module holds
    """Import what a program asks for when it asks, so that `batchscan --help` stays quick."""
    if name == "ScanSettings":
        return import_module("batchscan.settings").Scan
    try:
        return getattr(import_module(_HOME_OF[name]), name)
    except KeyError:
        raise AttributeError(f"module 'batchscan' has no attribute {name!r}") from None


def __dir__() -> list[str]:
    return __all__
