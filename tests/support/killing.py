"""Runs `batchscan` until a named point, where the process kills itself: nothing is cleaned up.

    python killing.py POINT NTH [batchscan's own words]

Every point is a call of a real function: just before it, or just after it.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import os
import signal
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

from batchscan.pace import SystemClock

POINTS = {
    "ledger-before": "before batchscan.ledger.connection:migrate",
    "ledger-after": "after batchscan.ledger.connection:migrate",
    "begun-before": "before batchscan.ledger.runs:Runs.begin",
    "begun-after": "before batchscan.results_writer:ResultsWriter.create",
    "login-answered": "after batchscan.copyleaks.client:read_grant",
    "reserved": "after batchscan.pipeline.budget:Budget.reserve",
    "slot-granted": "after batchscan.pace.rate_limiter:RateLimiter.acquire",
    "claimed": "after batchscan.ledger.claims:Claims.open",
    "claim-committed": "before batchscan.engines.local:LocalEngine.upload",
    "first-byte-leaving": "after batchscan.pace.rate_limiter:RateLimiter.mark_sent",
    "last-byte-left": "after batchscan.copyleaks.upload_body:UploadBody.write",
    "answer-received": "after batchscan.copyleaks.client:CopyleaksClient.check",
    "answer-read": "after batchscan.engines.local:LocalEngine.upload",
    "settled": "after batchscan.ledger.claims:Claims.settle",
    "kept": "before batchscan.pipeline.settlement:Settler._read",
    "reading": "before batchscan.pipeline.settlement:parse_answer",
    "read": "after batchscan.pipeline.settlement:parse_answer",
    "entering": "before batchscan.ledger.readings:Readings.enter",
    "in-history": "before batchscan.ledger.match_entry:MatchEntry.record",
    "entered": "after batchscan.ledger.readings:Readings.enter",
    "entry-committed": "after batchscan.pipeline.settlement:Settler._enter",
    "line-made": "before batchscan.pipeline.settlement:with_matches",
    "released": "before batchscan.pipeline.decision_recorder:DecisionRecorder.accept_refusals",
    "making-preview": "before batchscan.engines.local:LocalEngine.make_preview",
    "storing-preview": "before batchscan.ledger.reporting:Previews.put",
    "settle-committed": "before batchscan.pipeline.recorder:Recorder.publish",
    "line-before": "before batchscan.results_writer:ResultsWriter.write",
    "line-after": "after batchscan.results_writer:ResultsWriter.write",
    "results-closed": "after batchscan.results_writer:ResultsWriter.close",
    "report-before": "before batchscan.pipeline.finish:write_report",
    "report-after": "after batchscan.pipeline.finish:write_report",
    "closing": "after batchscan.ledger.runs:Runs.close",
    "closed": "before batchscan.pipeline.finish:point_latest",
    "replacing": "before batchscan.report.run_folder:os.replace",  # whoever replaces a file
    # of telling people
    "noted": "after batchscan.ledger.match_entry:MatchEntry._note",
    "messages-before": "before batchscan.alerts.notifier:make_messages",
    "messages-made": "after batchscan.alerts.notifier:make_messages",
    "sending": "before batchscan.alerts.webhook:WebhookTarget.send",
    "sent": "after batchscan.alerts.webhook:WebhookTarget.send",
    "command-started": "before batchscan.alerts.command:CommandTarget._run",
    "command-ended": "after batchscan.alerts.command:CommandTarget._run",
    "told": "after batchscan.ledger.outbox:Outbox.mark_delivered",
    "told-committed": "before batchscan.pipeline.finish:write_page",
    "amended": "after batchscan.ledger.runs:Runs.update_report",
    # of the next run, which closes the killed one
    "rereading": "before batchscan.runs.unread_answers:parse_answer",
    "remaking": "before batchscan.runs.rebuild:read_again",
    "mending-before": "before batchscan.runs.recovery:write_atomic",
    "mending-results": "after batchscan.runs.recovery:write_atomic",
    "mending-report": "after batchscan.runs.recovery:write_report",
    "mending-closed": "after batchscan.runs.recovery:point_latest",
}


class _Trap:
    """Counts the calls of a point, and kills at the chosen one."""

    def __init__(self, nth: int) -> None:
        self._left = nth

    def sprung(self) -> bool:
        self._left -= 1
        return self._left == 0


def kill() -> None:
    """End as at a power cut."""
    os.kill(os.getpid(), signal.SIGKILL)


async def _kill_when_sent() -> None:
    try:
        for _ in range(5):  # uvloop hands bytes to the system at the end of a turn
            await asyncio.sleep(0)
    finally:  # the answer may be quicker, and then nobody waits for the request's end
        kill()


def _trapped(function: Callable[..., Any], trap: _Trap, *, before: bool) -> Callable[..., Any]:
    @wraps(function)
    async def waiting(*args: Any, **kwargs: Any) -> Any:
        if before and trap.sprung():
            kill()
        result = await function(*args, **kwargs)
        if not before and trap.sprung():
            await _kill_when_sent()
        return result

    @wraps(function)
    def calling(*args: Any, **kwargs: Any) -> Any:
        if before and trap.sprung():
            kill()
        result = function(*args, **kwargs)
        if not before and trap.sprung():
            kill()
        return result

    return waiting if inspect.iscoroutinefunction(function) else calling


def set_trap(point: str, nth: int) -> None:
    """Have the process killed at the nth call of a point."""
    when, _, place = POINTS[point].partition(" ")
    module, _, path = place.partition(":")
    holder: Any = importlib.import_module(module)
    *outer, name = path.split(".")
    for part in outer:
        holder = getattr(holder, part)
    found = inspect.getattr_static(holder, name)
    of_class = isinstance(found, classmethod)
    function = found.__func__ if of_class else found
    trapped: Any = _trapped(function, _Trap(nth), before=when == "before")
    setattr(holder, name, classmethod(trapped) if of_class else trapped)


def put_off(days: float) -> None:
    """Have the process live some days later."""
    today = SystemClock.wall
    SystemClock.wall = lambda self: today(self) + days * 86_400  # type: ignore[method-assign]


if __name__ == "__main__":
    from batchscan.cli import main

    put_off(float(os.environ.get("DAYS_LATER", "0")))
    set_trap(sys.argv[1], int(sys.argv[2]))
    sys.exit(main(sys.argv[3:]))
