"""What `batchscan state prune` lets go: found first, so that it can be shown before it goes."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from batchscan.capture.kept import FOLDER
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
    """What may go."""

    files: int = 0  # rows of files that are gone
    matched: int = 0  # of these the ones that stay, because their pictures have matches
    away: int = 0  # rows of files that may be there: in a store, or on a disk that is away
    messages: int = 0  # delivered long enough ago
    leftovers: list[Path] = field(default_factory=list)  # copies of older versions, halves of files
    runs: list[str] = field(default_factory=list)  # beyond what the output folder keeps

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.files or self.messages or self.leftovers or self.runs)


def find(ledger: Ledger, settings: Settings, before: float, now: float) -> PrunePlan:
    """Look what may go; files are looked for where they were.

    Args:
        ledger: the ledger, inside a transaction.
        settings: where runs are, and how many stay.
        before: messages and copies that are younger than this moment stay.
        now: the current moment.
    """
    away = _mark_gone(ledger)
    files, matched = ledger.pruning.count_files()
    return PrunePlan(
        files=files,
        matched=matched,
        away=away,
        messages=ledger.pruning.count_told(before),
        leftovers=sorted(_leftovers(ledger.path.parent, before, now)),
        runs=expired_runs(ledger, settings.output),
    )


def carry_out(
    ledger: Ledger, settings: Settings, found: PrunePlan, before: float
) -> RetentionResult:
    """Let go what was found by the same connection; what became of old runs.

    Raises:
        StorageError: the folder of runs cannot be opened.
    """
    folder = settings.output.directory
    with ledger.transaction():
        rescued = with_unsaved_answers(ledger, folder, found.runs)
    done = remove_runs(folder, found.runs, rescued=rescued)
    with ledger.transaction(writing=True):
        forget(ledger, settings.output, done)
        ledger.pruning.drop_files()
        ledger.pruning.drop_told(before)
    for path in found.leftovers:
        path.unlink(missing_ok=True)
    return done


def _mark_gone(ledger: Ledger) -> int:
    """Mark files that are gone from folders that can be trusted; gives how many cannot be decided.

    A disk that is not mounted looks like an empty folder, or like one that is not there. So nothing
    counts as gone from a folder that is empty, or below a root of scans where nothing is any
    more that the ledger knows.
    """
    forgetting = ledger.pruning
    roots = forgetting.roots()
    freshness: set[bytes] = set()
    away = 0
    for folder_id, folder in forgetting.folders():
        names, there = forgetting.names(folder_id), _names_in(folder)
        root = _root_of(folder, roots)
        if there is None:
            away += len(names)
            continue
        forgetting.mark(folder_id, names - there, root)
        if names & there:
            freshness.add(root)
    return away + forgetting.unmark_but(freshness)


def _names_in(folder: bytes) -> set[bytes] | None:
    """What is in a folder, nothing where that is gone; None where nobody can tell."""
    if not os.path.isabs(folder):  # in a store, or below a working folder of another day
        return None
    above = folder
    try:
        while (names := _listed(above)) is None:
            above = os.path.dirname(above)
    except OSError:
        return None
    if not names:  # a place to mount a disk at
        return None
    return names if above == folder else set()


def _listed(folder: bytes) -> set[bytes] | None:
    """What is in a folder; None where it is not there."""
    try:
        return set(os.listdir(folder))
    except FileNotFoundError:
        return None


def _root_of(folder: bytes, roots: set[bytes]) -> bytes:
    """The innermost root of scans that a folder is in; else the folder itself."""
    above = folder
    while above not in roots and above != os.path.dirname(above):
        above = os.path.dirname(above)
    return above if above in roots else folder


def _leftovers(state: Path, before: float, now: float) -> Iterator[Path]:
    """Copies of older versions that are old enough, and what killed processes left half-written."""
    captures = state / FOLDER  # of which nothing else ever goes
    within = captures.iterdir() if captures.is_dir() else ()
    for path in (*state.iterdir(), *within):
        found = path.lstat()
        copy = path.name.startswith(_COPY) and found.st_mtime < before
        half = path.name.startswith(TEMP_PREFIX) and found.st_mtime < now - _DAY
        if stat.S_ISREG(found.st_mode) and (copy or half):
            yield path
