"""Deleting runs beyond `output.keep_runs`: their folders, then their rows in the ledger.

Only folders of runs in the ledger are deleted, and only files that runs write; links are not
followed. Answers stay in the ledger. After a crash in between, the next run deletes the row.

Without the setting only folders of runs that decided nothing are deleted: their reports can be
made from the ledger.
"""

from __future__ import annotations

import asyncio
import logging
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache

from batchscan.errors import StorageError
from batchscan.ledger import Ledger, LedgerThread
from batchscan.report.run_folder import LATEST, REPORT, RESULTS, RUNS
from batchscan.runs import rescued_answers
from batchscan.runs.reports import MATCHES, PAGE
from batchscan.runs.unchecked import UNCHECKED
from batchscan.settings import Output
from batchscan.util import system
from batchscan.util.atomic_file import TEMP_PREFIX
from batchscan.util.escaping import printable

KEPT_IDLE = 90  # runs that stay in any case: three months of nightly scans
_OURS = frozenset({RESULTS, REPORT, MATCHES, PAGE, UNCHECKED, rescued_answers.FILE_NAME})
_FOLDER = os.O_RDONLY | system.O_DIRECTORY | system.O_NOFOLLOW | system.O_CLOEXEC
log = logging.getLogger(__name__)


@dataclass(slots=True)
class RetentionResult:
    """The result of deleting runs."""

    removed: list[str] = field(default_factory=list)  # ids
    kept: dict[str, str] = field(default_factory=dict)  # folders that stay, and why


def expired_runs(ledger: Ledger, output: Output) -> list[str]:
    """The closed runs of this output folder beyond its limit, the newest first."""
    runs = os.path.join(output.directory, RUNS)
    folder_runs = _runs_in(ledger, os.path.realpath(runs))
    if output.keep_runs is None:
        old = [
            name for name in folder_runs[KEPT_IDLE:] if _decided_nothing(os.path.join(runs, name))
        ]
    else:
        old = folder_runs[output.keep_runs :]
    latest = _latest(output.directory)
    return [run_id for run_id in old if run_id != latest]


def forget(ledger: Ledger, output: Output, done: RetentionResult) -> None:
    """Delete the ledger's rows of removed runs, if `keep_runs` is set."""
    if output.keep_runs is not None:
        ledger.runs.delete(done.removed)


def _runs_in(ledger: Ledger, runs: str) -> list[str]:
    real = cache(os.path.realpath)  # many runs share few folders
    return [
        run_id
        for run_id, folder in ledger.runs.all_closed()
        if os.path.basename(folder) == run_id and real(os.path.dirname(folder)) == runs
    ]


def _decided_nothing(folder: str) -> bool:
    """Whether a run's folder exists and has no lines."""
    try:
        results = os.lstat(os.path.join(folder, RESULTS))
    except OSError:
        return False
    return stat.S_ISREG(results.st_mode) and not results.st_size


def with_unsaved_answers(ledger: Ledger, output: str, run_ids: Sequence[str]) -> set[str]:
    """The runs with rescued answers that are not in the ledger."""
    return {
        run_id for run_id in run_ids if not _taken_in(ledger, os.path.join(output, RUNS, run_id))
    }


def remove_runs(output: str, run_ids: Sequence[str], *, rescued: set[str]) -> RetentionResult:
    """Delete runs' folders, except `rescued` ones, which hold answers that are nowhere else.

    Raises:
        StorageError: the folder of runs cannot be opened.
    """
    done = RetentionResult()
    if not run_ids:
        return done
    with _opened(os.path.join(output, RUNS)) as runs:
        for run_id in run_ids:
            why = "answers in it are not in the ledger" if run_id in rescued else None
            why = why or _remove(runs, run_id)
            if why is None:
                done.removed.append(run_id)
            else:
                done.kept[os.path.join(output, RUNS, run_id)] = why
    return done


async def apply_retention(thread: LedgerThread, output: Output) -> None:
    """Delete old runs at the end of a run; an error is only logged."""
    folder = output.directory

    def find_expired(ledger: Ledger) -> tuple[list[str], set[str]]:
        old = expired_runs(ledger, output)
        return old, with_unsaved_answers(ledger, folder, old)

    try:
        old, rescued = await thread.run(find_expired)
        done = await asyncio.to_thread(remove_runs, folder, old, rescued=rescued)
        await thread.run(lambda ledger: forget(ledger, output, done))
    except StorageError as error:
        log.warning("old runs stay: %s", error)
        return
    for path, why in done.kept.items():
        log.warning("an old run stays: %s: %s", printable(path), why)


def _latest(output: str) -> str | None:
    """The id of the run that `latest` points to."""
    link = os.path.join(output, LATEST)
    return os.path.basename(os.path.realpath(link)) if os.path.islink(link) else None


def _taken_in(ledger: Ledger, folder: str) -> bool:
    lines = rescued_answers.read_lines(folder)
    return all(
        line is not None and ledger.claims.has_answer(line.scan_id, line.received_at)
        for line in lines
    )


@contextmanager
def _opened(folder: str) -> Iterator[int]:
    try:
        descriptor = os.open(folder, _FOLDER)
    except OSError as error:
        raise StorageError(f"{printable(folder)}: {error.strerror}") from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _remove(runs: int, run_id: str) -> str | None:
    """Delete a run's folder; returns why if it stays."""
    try:
        folder = os.open(run_id, _FOLDER, dir_fd=runs)
    except FileNotFoundError:
        return None
    except OSError as error:
        return "it is a link" if _is_link(run_id, runs) else str(error.strerror)
    try:
        names = os.listdir(folder)
        foreign = sorted(name for name in names if not _is_ours(name, folder))
        if foreign:
            return f"'{printable(foreign[0])}' in it is none of a run's files"
        for name in names:
            os.unlink(name, dir_fd=folder)
        os.rmdir(run_id, dir_fd=runs)
    except OSError as error:
        return str(error.strerror)
    finally:
        os.close(folder)
    return None


def _is_link(name: str, folder: int) -> bool:
    return stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)


def _is_ours(name: str, folder: int) -> bool:
    mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    return stat.S_ISREG(mode) and (name in _OURS or name.startswith(TEMP_PREFIX))
