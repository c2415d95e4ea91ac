"""Reporting the start and end of a scan to the heartbeat URL and the metrics file."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from batchscan.console.exit import exit_status_of
from batchscan.enums import ExitReason
from batchscan.errors import BatchscanError, LockedError, StorageError, UsageError
from batchscan.util.escaping import printable

if TYPE_CHECKING:
    from batchscan.report import Report
    from batchscan.settings import Settings

log = logging.getLogger(__name__)


class RunMonitor:
    """Pings the heartbeat URL, and writes the metrics file.

    Failures are warnings and do not change the exit code. Dry runs, and runs that end because of
    `--if-locked skip`, are not reported.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ping_url = settings.alerts.ping_url
        self._started_at = time.time()
        self._starting: asyncio.Task[None] | None = None
        self._report: Report | None = None
        self._folder = ""
        self._warned = False

    def started(self) -> None:
        """Report the start of a run, in a task on its loop."""
        if self._ping_url and not self._settings.dry_run:
            self._starting = asyncio.create_task(self._ping("start"))

    def ended(self, report: Report, folder: str) -> None:
        """Store the report of a run for the end."""
        self._report, self._folder = report, folder

    async def settle(self) -> None:
        """Wait until the start was reported, or that was given up."""
        if self._starting is not None:
            await self._starting

    def over(self, work: Callable[[], int]) -> int:
        """Run a scan, and report its end; returns its exit code, or raises its exception."""
        try:
            code = work()
        except BaseException as error:
            self._report_end(*exit_status_of(error), error)
            raise
        self._report_end(code, self._report.run.exit_reason if self._report else ExitReason.OK)
        return code

    def _report_end(
        self, code: int, reason: ExitReason, error: BaseException | None = None
    ) -> None:
        gave_way = isinstance(error, LockedError) and self._settings.scan.if_locked == "skip"
        if self._settings.dry_run or gave_way:
            return
        if self._settings.output.metrics_file is not None:
            self._write_metrics(self._settings.output.metrics_file, code, reason)
        if self._ping_url:
            from batchscan.commands.scan import run  # noqa: PLC0415 - most runs do without

            text = "\n".join(self._text(code, reason, error))
            run(self._ping(str(code), text))

    def _text(self, code: int, reason: ExitReason, error: BaseException | None) -> Iterator[str]:
        from batchscan.report import summary  # noqa: PLC0415 - as above

        yield f"batchscan ended with {code} ({reason})."
        if self._report is not None:
            yield summary(self._report, self._folder)
        if isinstance(error, BatchscanError):
            yield printable(str(error))
            yield printable(error.advice or "")

    async def _ping(self, what: str, text: str = "") -> None:
        from batchscan.monitoring.heartbeat import ping  # noqa: PLC0415 - as above

        trouble = await ping(self._ping_url or "", what, text)
        if trouble is not None and not self._warned:
            self._warned = True
            log.warning("the heartbeat could not be sent (%s): %s", what, trouble)

    def _write_metrics(self, path: str, code: int, reason: ExitReason) -> None:
        from batchscan.monitoring.metrics import Ending, write_metrics  # noqa: PLC0415 - as above

        ending = Ending(
            exit_code=code,
            exit_reason=reason,
            started_at=self._started_at,
            finished_at=time.time(),
            report=self._report,
            oldest_answer=self._oldest_answer(),
        )
        try:
            write_metrics(path, ending)
        except StorageError as error:
            log.warning("no metrics: %s", error)

    def _oldest_answer(self) -> float | None:
        from batchscan.state.access import read_ledger  # noqa: PLC0415 - as above

        try:
            with read_ledger(self._settings) as ledger:
                return ledger.reporting.oldest_answer()
        except (StorageError, UsageError):  # the run has said it, if it came so far
            return None
