"""`batchscan state prune`: find what can be deleted, so that it can be shown first; delete it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from batchscan.capture.capture_files import FOLDER
from batchscan.ledger import FILE_NAME, Ledger
from batchscan.runs.retention import (
    RetentionResult,
    expired_runs,
    forget,
    remove_runs,
    with_unsaved_answers,
)
from batchscan.settings import Settings
from batchscan.util.atomic_file import TEMP_PREFIX

_DAY = 86_400.0
_COPY = f"{FILE_NAME}.v"


@dataclass(slots=True)
class PrunePlan:
    """The data that `state prune` can delete, as counts, run ids and paths."""

    files: int = 0  # rows of missing files
    matched: int = 0  # rows of missing files that stay, because their pictures have matches
    away: int = 0  # rows of files that may exist: in a store, or on a disk that is not mounted
    messages: int = 0  # delivered long enough ago
    leftovers: list[Path] = field(default_factory=list)  # copies of old ledgers, partial files
    runs: list[str] = field(default_factory=list)  # more than `output.keep_runs`

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to delete."""
        return not (self.files or self.messages or self.leftovers or self.runs)


def find(ledger: Ledger, settings: Settings, before: float, now: float) -> PrunePlan:
    """Find what can be deleted; marks missing files in the ledger's temporary table.

    Args:
        ledger: the ledger, inside a transaction.
        settings: output folder and `keep_runs`.
        before: newer messages and copies stay; seconds since 1970.
        now: seconds since 1970.
    """
    away = _mark_gone(ledger)
    files, matched = ledger.pruning.count_files()
    return PrunePlan(
        files=files,
        matched=matched,
        away=away,
        messages=ledger.pruning.count_delivered(before),
        leftovers=sorted(_leftovers(ledger.path.parent, before, now)),
        runs=expired_runs(ledger, settings.output),
    )


def carry_out(
    ledger: Ledger, settings: Settings, plan: PrunePlan, before: float
) -> RetentionResult:
    """Delete what `find` found on the same connection; returns the result for old runs.

    Raises:
        StorageError: the folder of runs cannot be opened.
    """
    folder = settings.output.directory
    with ledger.transaction():
        rescued = with_unsaved_answers(ledger, folder, plan.runs)
    done = remove_runs(folder, plan.runs, rescued=rescued)
    with ledger.transaction(writing=True):
        forget(ledger, settings.output, done)
        ledger.pruning.drop_files()
        ledger.pruning.drop_delivered(before)
    for path in plan.leftovers:
        path.unlink(missing_ok=True)
    return done


def _mark_gone(ledger: Ledger) -> int:
    """Mark missing files; returns how many files cannot be decided.

    A disk that is not mounted looks like an empty or missing folder. So no file counts as missing
    in an empty folder, or below a root of scans of which no known file exists any more.
    """
    forgetting = ledger.pruning
    roots = forgetting.roots()
    roots_present: set[bytes] = set()
    undecided = 0
    for folder_id, folder in forgetting.folders():
        names, present = forgetting.names(folder_id), _names_in(folder)
        root = _root_of(folder, roots)
        if present is None:
            undecided += len(names)
            continue
        forgetting.mark(folder_id, names - present, root)
        if names & present:
            roots_present.add(root)
    return undecided + forgetting.unmark_but(roots_present)


def _names_in(folder: bytes) -> set[bytes] | None:
    """The names in a folder, none if it is missing; None if that cannot be decided."""
    if not os.path.isabs(folder):  # in a store, or relative to some earlier working folder
        return None
    above = folder
    try:
        while (names := _listed(above)) is None:
            above = os.path.dirname(above)
    except OSError:
        return None
    if not names:  # may be a mount point
        return None
    return names if above == folder else set()


def _listed(folder: bytes) -> set[bytes] | None:
    """The names in a folder; None if it is missing."""
    try:
        return set(os.listdir(folder))
    except FileNotFoundError:
        return None


def _root_of(folder: bytes, roots: set[bytes]) -> bytes:
    """The innermost root of scans that contains a folder; without one the folder itself."""
    above = folder
    while above not in roots and above != os.path.dirname(above):
        above = os.path.dirname(above)
    return above if above in roots else folder


def _leftovers(state: Path, before: float, now: float) -> Iterator[Path]:
    """Old copies of migrated ledgers, and partial files of killed processes."""
    captures = state / FOLDER  # only partial files: captures are never deleted
    within = captures.iterdir() if captures.is_dir() else ()
    for path in (*state.iterdir(), *within):
        file_stat = path.lstat()
        copy = path.name.startswith(_COPY) and file_stat.st_mtime < before
        half = path.name.startswith(TEMP_PREFIX) and file_stat.st_mtime < now - _DAY
        if stat.S_ISREG(file_stat.st_mode) and (copy or half):
            yield path
