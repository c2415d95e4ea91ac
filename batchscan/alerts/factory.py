"""Opening the targets of the settings, and validating them before anything is sent."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from importlib import import_module
from operator import attrgetter

from batchscan.alerts.interface import AlertTarget
from batchscan.settings import Alerts
from batchscan.settings.model_groups import ALERT_TARGETS


def open_targets(
    alerts: Alerts, environ: Mapping[str, str], now: Callable[[], float] = time.time
) -> tuple[AlertTarget, ...]:
    """All targets; blocking.

    Args:
        alerts: the settings.
        environ: the process's environment, where the secrets are.
        now: seconds since 1970.

    Raises:
        UsageError: a secret or command is missing, or a URL cannot be used.
    """
    targets: list[AlertTarget] = []
    for kind in ALERT_TARGETS:
        if any(attrgetter(key)(alerts) for key in (*kind.settings, *kind.secrets)):
            module = import_module(f"batchscan.alerts.{kind.module}")
            targets.extend(module.open_targets(alerts, environ, now))
    return tuple(targets)
