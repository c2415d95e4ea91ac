"""The output of a finished scan: data on stdout, problems on stderr, less with `-q`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Container, Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from batchscan import progress
from batchscan.console.terminal import (
    on_new_line,
    on_one_terminal,
    print_data,
    print_error,
    print_status,
    width_of,
)
from batchscan.enums import DeferReason, ExitReason, FailReason, RejectReason
from batchscan.errors import BatchscanError, LimitReached
from batchscan.progress import ProgressState
from batchscan.report import Report, encode, summary
from batchscan.report.schema import Files
from batchscan.report.text import WIDTH
from batchscan.report.wording import amount
from batchscan.settings.model import Output
from batchscan.util import system

if TYPE_CHECKING:
    from batchscan.run import Scan

MAX_FOLDERS = 3  # unreadable ones that a quiet run names


def print_result(output: Output, report: Report, folder: str, error: BatchscanError | None) -> None:
    """Print how a run ended.

    Args:
        output: what the user wants to see.
        report: the run's report.
        folder: where the run's files are.
        error: the reason why the run ended early, if it did.

    Raises:
        StorageError: stdout cannot be written.
    """
    if output.json:
        print_data(encode(report))
    elif not output.quiet:
        print_data(summary(report, folder, width_of(sys.stdout, WIDTH)))
    if output.quiet:
        for line in quiet_lines(report, folder):
            print_error(line)
    planned = report.run.dry_run and isinstance(error, LimitReached)
    if error is not None and not planned and not _shown(output):
        print_error(str(error), error.advice)


def _shown(output: Output) -> bool:
    """Whether the summary says it on the same terminal as stderr is."""
    return on_one_terminal() and not (output.json or output.quiet)


def _unreadable(files: Files) -> str:
    names = files.unreadable_folder_names[:MAX_FOLDERS]
    more = files.unreadable_folders - len(names)
    shown = [*names, f"{more:,} more"] if more else names
    named = f": {', '.join(shown)}" if names else ""
    return f"{amount(files.unreadable_folders, 'folder')} could not be read{named}"


def quiet_lines(report: Report, folder: str) -> Iterator[str]:
    """The few lines that a quiet run has to say; none when all is well."""
    code = report.run.exit_code
    if rejected := reasons(report, {*RejectReason}):
        yield f"newly rejected: {rejected}; see {folder}/{report.unchecked_table or 'results.jsonl'}"
    for failure in report.alerts.troubles if report.alerts else ():
        yield f"{failure.target} did not get all alerts: {failure.trouble}"
    if not code:
        return
    files, parts = report.files, [f"ended with {code} ({report.run.exit_reason})"]
    if missing := files.failed + files.deferred:
        why = reasons(report, {*FailReason, *DeferReason})
        have = "has" if missing == 1 else "have"
        parts.append(f"{missing:,} of {amount(files.seen, 'picture')} {have} no answer: {why}")
    if files.unreadable_folders:
        parts.append(_unreadable(files))
    if files.empty_roots:
        parts.append(f"empty or missing, but had pictures before: {', '.join(files.empty_roots)}")
    if report.run.exit_reason == ExitReason.MATCHES:
        parts.extend(_alarms(report))
    yield f"{'; '.join(parts)}; see {folder}/report.json"


def _alarms(report: Report) -> Iterator[str]:
    """The findings that `--fail-on` may have selected."""
    matches, files = report.matches, report.files
    if matches.total:
        yield (
            f"{amount(matches.images_with_matches, 'picture')} with matches: "
            f"{matches.full:,} full, {matches.partial:,} partial, "
            f"{(matches.new or 0) + (matches.returned or 0):,} new or returned"
        )
    rejected = {why: number for why, number in report.unchecked.items() if why in {*RejectReason}}
    if rejected:
        reasons = ", ".join(f"{number:,} {why}" for why, number in rejected.items())
        number = sum(rejected.values())
        verb = "is" if number == 1 else "are"
        yield f"{number:,} of {amount(files.seen, 'picture')} {verb} not checked: {reasons}"


def reasons(report: Report, kinds: Container[str]) -> str:
    """The counts by reason of some kinds: `2 corrupt, 1 too_large`."""
    counts = report.reasons.items()
    return ", ".join(f"{number:,} {reason}" for reason, number in counts if reason in kinds)


def stop_for_signals(scan: Scan) -> AbstractContextManager[None]:
    """Stop a scan for the signals that come in the block."""
    return handle_stop_signals(scan.request_stop, lambda: scan.progress().sent > 0)


@contextmanager
def handle_stop_signals(
    request: Callable[[int], None], pays: Callable[[], bool] = lambda: False
) -> Iterator[None]:
    """Pass stop signals to a run that is under way in this loop.

    Args:
        request: asks the run to stop; gets the signal's number, at most once.
        pays: whether the run has sent pictures, for the message.
    """
    loop = asyncio.get_running_loop()
    handler = _Handler(request, pays)
    signals = heeded(*system.STOP_SIGNALS)
    for signum in signals:
        system.on_signal(loop, signum, handler, signum)
    try:
        yield
    finally:
        for signum in signals:
            loop.remove_signal_handler(signum)


def heeded(*signals: signal.Signals) -> list[signal.Signals]:
    """The signals that were not ignored when the process was started.

    nohup starts it with SIGHUP ignored, a shell's `&` without job control with SIGINT.
    """
    return [signum for signum in signals if signal.getsignal(signum) is not signal.SIG_IGN]


class _Handler:
    def __init__(self, request: Callable[[int], None], pays: Callable[[], bool]) -> None:
        self._request = request
        self._pays = pays
        self._asked = False

    def __call__(self, signum: int) -> None:
        if self._asked:
            _end_at_once(signum)
        self._asked = True
        on_new_line()
        why = " (it is paid for)" if self._pays() else ""
        print_status(f"batchscan: finishing what is under way{why}; once more stops at once")
        self._request(signum)


def _end_at_once(signum: int) -> None:
    on_new_line()
    print_status("batchscan: stopped at once; run the same command again to continue")
    os._exit(128 + signum)  # no clean-up that could wait for the network; the ledger is consistent


_TICK = 0.2  # seconds between two looks


@contextlib.asynccontextmanager
async def show_progress(state: Callable[[], ProgressState], output: Output) -> AsyncIterator[None]:
    """Show on stderr how far a run is, until the block ends.

    Args:
        state: says how far it is.
        output: how the user wants to see it.
    """
    if sys.stderr is None:
        yield
        return
    shown = progress.create(output.progress, sys.stderr, quiet=output.quiet)
    updating = asyncio.create_task(_update_regularly(state, shown))
    try:
        yield
    finally:
        updating.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError):  # OSError: stderr has gone
            await updating
        with contextlib.suppress(OSError):
            shown.close()


async def _update_regularly(state: Callable[[], ProgressState], shown: progress.Progress) -> None:
    while True:
        shown.update(state())
        await asyncio.sleep(_TICK)


T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in a loop of its own, as `asyncio.run` does."""
    with asyncio.Runner(loop_factory=_new_loop) as runner:
        return runner.run(main)


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop  # noqa: PLC0415 - not there on Windows and PyPy
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
