"""How a run ended: one exit code, decided in one place."""

from __future__ import annotations

from batchscan.digest import AlarmTotals
from batchscan.errors import Interrupted, LimitReached
from batchscan.names import ExitReason
from batchscan.settings.model import FailOn
from batchscan.steps.stop import Stop
from batchscan.tally import Tally

OK, INTERNAL_ERROR, PARTIAL, MATCHES = 0, 1, 3, 10


def exit_of(
    stop: Stop, tally: Tally, alarms: AlarmTotals, fail_on: FailOn, *, dry_run: bool = False
) -> tuple[int, ExitReason]:
    """The exit code and its word; where several hold, the contract's order decides.

    A dry run that finds that a budget would not do has done what it was asked for.
    """
    if stop.bug is not None and not isinstance(stop.reason, Interrupted):
        return INTERNAL_ERROR, ExitReason.INTERNAL_ERROR
    if stop.reason is not None and not (dry_run and isinstance(stop.reason, LimitReached)):
        return stop.reason.code, stop.reason.exit_reason
    if tally.incomplete:
        return PARTIAL, ExitReason.PARTIAL
    if _met(fail_on, alarms):
        return MATCHES, ExitReason.MATCHES
    return OK, ExitReason.OK


def _met(fail_on: FailOn, alarms: AlarmTotals) -> bool:
    match fail_on:
        case "none":
            return False
        case "new":
            return alarms.new > 0
        case "full":
            return alarms.full > 0
        case "any":
            return alarms.total > 0
