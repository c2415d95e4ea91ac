"""The exit code of a run."""

from __future__ import annotations

from batchscan.enums import ExitReason, Status
from batchscan.errors import BatchscanError, Interrupted, LimitReached
from batchscan.pipeline.shutdown import Shutdown
from batchscan.report_sections import FailOnTotals
from batchscan.tally import Tally

OK, INTERNAL_ERROR, PARTIAL, MATCHES = 0, 1, 3, 10


def exit_status(
    stop: Shutdown, tally: Tally, alarms: FailOnTotals, fail_on: str, *, dry_run: bool = False
) -> tuple[int, ExitReason]:
    """The exit code and its reason; if several apply, the documented order decides.

    A dry run succeeds even if it finds that a limit or budget would be reached.
    """
    if stop.bug is not None and not isinstance(stop.reason, Interrupted):
        if isinstance(stop.bug, BatchscanError):  # a list of files that is none, from a pipe
            return stop.bug.exit_code, stop.bug.exit_reason
        return INTERNAL_ERROR, ExitReason.INTERNAL_ERROR
    if stop.reason is not None and not (dry_run and isinstance(stop.reason, LimitReached)):
        return stop.reason.code, stop.reason.exit_reason
    if tally.incomplete:
        return PARTIAL, ExitReason.PARTIAL
    if _met(fail_on, tally, alarms):
        return MATCHES, ExitReason.MATCHES
    return OK, ExitReason.OK


def _met(fail_on: str, tally: Tally, alarms: FailOnTotals) -> bool:
    rejected = tally.statuses[Status.REJECTED] + tally.unchanged_rejected.total()
    counts: dict[str, int] = {
        "new": alarms.new,
        "full": alarms.full,
        "any": alarms.total,
        "unchecked": rejected,
    }
    return any(counts.get(word, 0) for word in fail_on.split(","))
