"""The checks of `batchscan state check`, which write nothing and take no lock."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from batchscan.capture.capture_files import FOLDER, trouble_with
from batchscan.commands.checks import Finding, Level
from batchscan.enums import Status
from batchscan.errors import StorageError
from batchscan.ledger import FILE_NAME
from batchscan.ledger.backup import faults, undisturbed
from batchscan.ledger.captures import KeptFile, kept_files
from batchscan.ledger.integrity import ODD, IntegrityChecker, IntegrityResult, LastRun
from batchscan.ledger.migrate import other_version, version_of
from batchscan.ledger.schema import VERSION
from batchscan.report.schema import Report
from batchscan.report.wording import amount
from batchscan.state.lock import holder_of
from batchscan.util.escaping import printable

_RESTORE = "restore the ledger from a backup; a new, empty one would pay again for every picture"
_AGAIN = "run one scan with --rehash: it reads every file again, and pays for nothing twice"
_OTHERS = 0o077
_SHOWN = 5  # captures named


def check(state: Path) -> Iterator[Finding]:
    """Check everything in a state folder.

    Raises:
        StorageError: there is no ledger.
    """
    findings, files = undisturbed(
        state / FILE_NAME, lambda ledger: (list(_check_ledger(ledger, state)), _kept_files(ledger))
    )
    yield from findings
    if files:
        yield _captures(state / FOLDER, files)
    yield from _modes(state)
    yield _lock(state)


def _check_ledger(connection: sqlite3.Connection, state: Path) -> Iterator[Finding]:
    connection.execute("BEGIN")  # all of it as of one moment
    version = version_of(connection)
    if version != VERSION:
        error = other_version(state / FILE_NAME, version)
        level = Level.WARNING if 0 < version < VERSION else Level.PROBLEM
        yield Finding(level, "version", str(error), error.advice, error.exit_code)
    else:
        yield Finding(Level.OK, "version", f"{version}, the one that this batchscan uses")
    damage = faults(connection)
    if damage:
        yield Finding(Level.PROBLEM, "pages", "; ".join(damage), _RESTORE, StorageError.exit_code)
    else:
        yield Finding(Level.OK, "pages", "no damage")
    if version == VERSION:
        yield from _check_content(IntegrityChecker(connection))


def _check_content(soundness: IntegrityChecker) -> Iterator[Finding]:
    has_findings = False
    for what, advice, examine in (
        ("references", _RESTORE, soundness.references),
        ("answers", _RESTORE, soundness.answers),
        ("cache", _AGAIN, soundness.seals),
    ):
        finding = _guarded(what, advice, examine)
        has_findings |= finding.level is not Level.OK
        yield finding
    books = _books(soundness)
    yield books
    has_findings |= books.level is not Level.OK
    # Where these are sound, what else a scan may stumble over
    for what, examine in (("columns", soundness.columns), ("payments", soundness.payments)):
        finding = _guarded(what, _RESTORE, examine)
        if finding.level is not Level.OK and not has_findings:
            yield finding


def _guarded(what: str, advice: str, examine: Callable[[], IntegrityResult]) -> Finding:
    """The finding of one check, which damage may interrupt."""
    try:
        looked = examine()
    except ODD as error:
        return Finding(Level.PROBLEM, what, str(error), advice, StorageError.exit_code)
    if looked.wrong:
        detail = f"{looked.wrong:,} wrong: {'; '.join(looked.faults)}"
        return Finding(Level.PROBLEM, what, detail, advice, StorageError.exit_code)
    agree = f"{looked.number - looked.skipped:,} checked" if looked.number else "no errors"
    skipped = f", {looked.skipped:,} skipped, as files came or went since" if looked.skipped else ""
    return Finding(Level.OK, what, agree + skipped)


def _books(soundness: IntegrityChecker) -> Finding:
    try:
        last = soundness.last_run()
    except ODD as error:
        return Finding(Level.PROBLEM, "last run", str(error), _RESTORE, StorageError.exit_code)
    if last is None:
        return Finding(Level.OK, "last run", "there is none yet")
    fault = _fault_in(last)
    if fault:
        detail = f"{last.run_id}: {fault}"
        return Finding(Level.PROBLEM, "last run", detail, _RESTORE, StorageError.exit_code)
    return Finding(Level.OK, "last run", f"{last.run_id}: its totals agree with the ledger")


def _fault_in(last: LastRun) -> str | None:
    """The first disagreement of a run's counts; None if they agree."""
    try:
        report = msgspec.json.decode(last.report, type=Report)
    except msgspec.MsgspecError as error:
        return f"its report cannot be read: {error}"
    files, charged, lines = report.files, last.charged, last.lines
    counts = {status: getattr(files, status.value) for status in Status}
    if files.seen != sum(counts.values()):
        return f"{amount(files.seen, 'file')} seen, but {sum(counts.values()):,} with a status"
    if report.credits.charged != charged:
        return f"{report.credits.charged:,} credits charged, but its answers cost {charged:,}"
    for status in Status:
        if status is not Status.UNCHANGED and counts[status] != lines.get(status, 0):
            return f"{counts[status]:,} {status}, but {lines.get(status, 0):,} such lines"
    return None


def _kept_files(connection: sqlite3.Connection) -> list[KeptFile]:
    """The captures that a ledger lists; none if it is too damaged to be read."""
    try:
        return kept_files(connection)
    except ODD:
        return []


def _captures(folder: Path, files: list[KeptFile]) -> Finding:
    """Compare each capture with its hash: altered evidence proves nothing."""
    troubles = [(file.name, trouble_with(str(folder), file)) for file in files]
    wrong = [f"{printable(name)}: {trouble}" for name, trouble in troubles if trouble]
    if not wrong:
        return Finding(Level.OK, "captures", f"{len(files):,} checked")
    shown = "; ".join(wrong[:_SHOWN])
    return Finding(
        Level.PROBLEM,
        "captures",
        f"{len(wrong):,} wrong: {shown}",
        f"copy them from a backup into {folder}; until then evidence packs are made without them",
        StorageError.exit_code,
    )


def _modes(state: Path) -> Iterator[Finding]:
    """Whether others than the owner may look into the folder or its files."""
    paths = [state, *sorted(path for path in state.iterdir() if not path.is_symlink())]
    loose = [path for path in paths if stat.S_IMODE(os.stat(path).st_mode) & _OTHERS]
    if not loose:
        yield Finding(Level.OK, "permissions", "only you can read the files")
    for path in loose:
        mode = "700" if path.is_dir() else "600"
        detail = f"{path}: other users may be able to read it"
        yield Finding(Level.WARNING, "permissions", detail, f"chmod {mode} {path}")


def _lock(state: Path) -> Finding:
    holder = holder_of(state)
    if holder is None:
        return Finding(Level.OK, "lock", "no scan is running")
    detail = f"a scan is running: process {holder.pid}, since {holder.started_at}"
    return Finding(Level.OK, "lock", printable(detail))
