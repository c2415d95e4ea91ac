"""Detecting a ledger that was restored from a backup, lost its log, or was deleted.

Pictures whose answers it lacks would be paid for again. A file in the output folder names the
ledger of each run, and one in the state folder has the ledger's number of changes.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from batchscan.errors import StorageError
from batchscan.ledger import FILE_NAME as LEDGER
from batchscan.ledger import Ledger, LedgerThread
from batchscan.ledger.backup import open_copy
from batchscan.ledger.identity import Identity, high_water
from batchscan.report.run_folder import LATEST, REPORT, RUNS
from batchscan.report.schema import Report
from batchscan.report.wording import amount
from batchscan.settings import Settings
from batchscan.util import system
from batchscan.util.atomic_file import storage_errors, write_atomic
from batchscan.util.escaping import path_fields, printable
from batchscan.util.private_files import open_private
from batchscan.util.timestamps import parse_rfc3339, rfc3339

NOTES = ".ledgers"  # in the output folder: a line for each run
MAX_RUNS = 50  # the newest, which are checked
MAX_NOTES = 256 * 1024  # bytes of the file; older notes are dropped
MAX_REPORTS = 5  # that are read of runs without a note
ADVICE = (
    "restore the newest ledger, with its -wal file; or continue with --accept-old-ledger (needed "
    "once): pictures whose answers this ledger lacks are then sent and paid for again"
)
log = logging.getLogger(__name__)


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """The ledger of a run."""

    schema: int = 1
    run_id: str
    ledger: str
    state: str  # the state folder
    host: str
    started_at: float  # seconds since 1970


@dataclass(frozen=True, slots=True)
class Older:
    """Evidence of runs that are missing in the ledger."""

    reason: str
    until: float  # when the last of them started or wrote; seconds since 1970

    def error(self, ledger: Path) -> StorageError:
        """The error that refuses the scan."""
        return StorageError(f"the ledger {ledger} {self.reason}; nothing was sent", advice=ADVICE)


async def check_lineage(thread: LedgerThread, settings: Settings, state: Path, now: float) -> None:
    """Refuse a ledger that lacks paid answers, unless the user accepts it.

    A dry run only warns. For a scan, the ledger starts to note its number of changes.

    Raises:
        StorageError: the ledger is older than the notes.
    """
    output, path = settings.output.directory, state / LEDGER
    older = await thread.run(lambda ledger: older_than_known(ledger.identity, state, output))
    if settings.dry_run:
        if older is not None:
            log.warning("%s", older.error(path))
        return
    if older is not None and not settings.accept_old_ledger:
        raise older.error(path)

    def accept(ledger: Ledger) -> None:
        if older is not None:
            ledger.identity.accept(max(now, older.until))
        ledger.note_changes()

    await thread.run(accept)


async def leave_note(thread: LedgerThread, output: str, run_id: str, started_at: float) -> None:
    """Note the ledger of a run in the output folder, after the run was entered.

    Raises:
        StorageError: the folder cannot be written.
    """
    ledger_id, state = await thread.run(
        lambda ledger: (ledger.identity.id, ledger.path.parent.absolute())
    )
    note = Note(
        run_id=run_id,
        ledger=ledger_id,
        state=path_fields(str(state))[0],
        host=system.host_name(),
        started_at=started_at,
    )
    await asyncio.to_thread(_append, os.path.join(output, NOTES), msgspec.json.encode(note))


def _append(path: str, line: bytes) -> None:
    with storage_errors(path):
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | system.O_NOFOLLOW
        with os.fdopen(open_private(path, flags), "wb") as file:
            file.write(b"\n" + line + b"\n")  # ends a partial line of a failed write
            size = file.tell()
    if size > MAX_NOTES:
        lines = Path(path).read_bytes().splitlines()[-4 * MAX_RUNS :]
        write_atomic(path, [b"%b\n" % note for note in lines if note])


def older_than_known(identity: Identity, state: Path, output: str) -> Older | None:
    """Evidence that a ledger lacks what it or its predecessor had; None without any."""
    accepted = identity.accepted_until
    return (
        _behind_its_note(identity, state)
        or _unknown_runs(identity, output, accepted)
        or _runs_without_notes(identity, state, output, accepted)
        or _of_a_ledger_before(identity, state, output, accepted)
    )


def _behind_its_note(identity: Identity, state: Path) -> Older | None:
    noted = high_water(state)
    if noted is None:
        return None
    until = rfc3339(noted.at)
    if noted.ledger != identity.id:
        return Older(f"is not the one that was there until {until}", noted.at)
    missing = noted.changes - identity.changes
    if missing <= 0:
        return None
    reason = (
        f"is older than its last scan left it ({until}): {amount(missing, 'change')} are missing, "
        f"as if it came from a backup, or {LEDGER}-wal had been removed"
    )
    return Older(reason, noted.at)


def _unknown_runs(identity: Identity, output: str, accepted: float) -> Older | None:
    """Find runs of this ledger that it lacks, in this output folder or in those of its other runs."""
    unknown = {
        note.run_id: (note, folder)
        for folder in dict.fromkeys([output, *identity.outputs(MAX_RUNS)])
        for note in _notes(folder)
        if note.ledger == identity.id
        and note.started_at > accepted
        and not identity.knows(note.run_id)
    }
    if not unknown:
        return None
    newest, folder = max(unknown.values(), key=lambda found: found[0].started_at)
    reason = (
        f"lacks {amount(len(unknown), 'run')} that it recorded before (the newest: "
        f"{newest.run_id} in {printable(folder)}), as if it came from a backup"
    )
    return Older(reason, newest.started_at)


def _runs_without_notes(
    identity: Identity, state: Path, output: str, accepted: float
) -> Older | None:
    """Find an unknown paid run in this ledger's output folder whose notes were lost.

    Before the first note, an output folder may be shared with another state folder.
    """
    if high_water(state) is None or os.path.exists(os.path.join(output, NOTES)):
        return None
    if not any(map(identity.knows, _names(output, MAX_RUNS))):
        return None
    for name in _names(output, MAX_REPORTS):
        at = None if identity.knows(name) else _paid_at(os.path.join(output, RUNS, name))
        if at is not None and at > accepted:
            reason = f"lacks the run {name} in {printable(output)}, as if it came from a backup"
            return Older(reason, at)
    return None


def _of_a_ledger_before(
    identity: Identity, state: Path, output: str, accepted: float
) -> Older | None:
    """Runs of a ledger that is gone, if this one is new; those of other state folders are fine."""
    if not identity.is_new:
        return None
    lost = [
        note
        for note in _notes(output)
        if note.started_at > accepted and not _exists_elsewhere(note, state)
    ]
    if not lost:
        return _of_an_earlier_version(output, accepted)
    newest = max(lost, key=lambda note: note.started_at)
    reason = (
        f"is new, and the ledger of the runs in {printable(output)} is not here (the newest: "
        f"{newest.run_id}); it was at {printable(newest.state)} on {printable(newest.host)}"
    )
    return Older(reason, newest.started_at)


def _of_an_earlier_version(output: str, accepted: float) -> Older | None:
    """Paid runs of versions that wrote no notes."""
    if accepted or os.path.exists(os.path.join(output, NOTES)):
        return None
    for name in _names(output, MAX_REPORTS):
        if _paid_at(os.path.join(output, RUNS, name)) is not None:
            reason = f"is new, and has no record of the run {name} in {printable(output)}"
            return Older(reason, 0.0)
    return None


def _paid_at(folder: str) -> float | None:
    """The start of a folder's run, in seconds since 1970; None if it was not charged."""
    with suppress(OSError, msgspec.MsgspecError, ValueError):
        report = msgspec.json.decode(Path(folder, REPORT).read_bytes(), type=Report)
        if report.credits.charged > 0 and not report.run.dry_run:
            return parse_rfc3339(report.run.started_at)
    return None


def _exists_elsewhere(note: Note, state: Path) -> bool:
    """Whether the ledger of a note still exists in another state folder."""
    ledger_path = os.path.join(note.state, LEDGER)
    if note.host != system.host_name() or not os.path.exists(ledger_path):
        return False
    if os.path.realpath(note.state) == os.path.realpath(state):
        return False
    try:
        with closing(open_copy(ledger_path)) as connection:
            return Identity(connection).id == note.ledger
    except sqlite3.Error:  # being written, or not readable for us; but it exists
        return True


def _notes(output: str) -> Iterator[Note]:
    """The notes of the newest runs whose folders exist."""
    try:
        with open(os.path.join(output, NOTES), "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - MAX_NOTES))
            lines = [line for line in file.read().splitlines() if line]
    except OSError:
        return
    for line in lines[-MAX_RUNS:]:
        with suppress(msgspec.MsgspecError):  # a partial line, or of another version
            note = msgspec.json.decode(line, type=Note)
            if os.path.isdir(os.path.join(output, RUNS, note.run_id)):
                yield note


def _names(output: str, most: int) -> list[str]:
    """The ids of some of the newest runs, and of the one that `latest` points to."""
    try:
        names = sorted(os.listdir(os.path.join(output, RUNS)), reverse=True)[:most]
    except OSError:
        return []
    latest = os.path.basename(os.path.realpath(os.path.join(output, LATEST)))
    return list(dict.fromkeys([*names, latest]))
