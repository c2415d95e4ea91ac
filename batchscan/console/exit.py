"""The outermost handler of a command, which turns exceptions into messages and an exit code."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable

import click

from batchscan.console.terminal import abandon_stdout, print_error, print_status
from batchscan.enums import ExitReason
from batchscan.errors import BatchscanError, OutOfMemory, StopRun, UsageError
from batchscan.util.interrupts import was_swallowed

_log = logging.getLogger(__name__)


def run_guarded(run: Callable[[], int]) -> int:
    """Run a command; an exception becomes an exit code and a message on stderr."""
    try:
        code = run()
    except click.exceptions.Exit as ending:  # --help is done
        return ending.exit_code
    except BrokenPipeError:
        abandon_stdout()
        return 0
    except (KeyboardInterrupt, click.Abort):
        return 128 + signal.SIGINT
    except Exception as error:  # noqa: BLE001 - the outermost handler: shows a bug's traceback
        return 128 + signal.SIGINT if was_swallowed() else _explained(error)
    return 128 + signal.SIGINT if code and was_swallowed() else code


def _explained(error: Exception) -> int:
    """Print an error; returns the exit code."""
    error = OutOfMemory.behind(error) or error
    if isinstance(error, BatchscanError):
        if str(error):  # `--if-locked skip` ends without a word
            print_error(str(error), error.advice)
        return exit_code_of(error)
    if isinstance(error, click.ClickException):
        context = error.ctx if isinstance(error, click.UsageError) else None
        path = context.command_path if context else "batchscan"
        message = " ".join(error.format_message().split())  # click lists choices on lines
        print_error(message, f"see `{path} --help`")
        return UsageError.exit_code
    _log.critical("unexpected error", exc_info=error)
    print_status("batchscan: this is a bug in batchscan; the ledger is consistent")
    return BatchscanError.exit_code


def exit_status_of(error: BaseException) -> tuple[int, ExitReason]:
    """The exit code and reason for an exception of a command."""
    error = OutOfMemory.behind(error) or error
    if isinstance(error, BatchscanError):
        return exit_code_of(error), error.exit_reason
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return 128 + signal.SIGINT, ExitReason.INTERRUPTED
    return BatchscanError.exit_code, ExitReason.INTERNAL_ERROR


def exit_code_of(error: BatchscanError) -> int:
    """The process's exit code for an error that ended a command."""
    return error.code if isinstance(error, StopRun) else error.exit_code
