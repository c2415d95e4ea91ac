"""Consistent, checked copies of a ledger."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from batchscan.errors import StorageError
from batchscan.util.atomic_file import staged_path

T = TypeVar("T")
_ADVICE = "or name a file on another disk"
_MAX_FAULTS = 5  # of a damaged ledger in an error message
_SOUND = ["ok"]


def back_up(
    ledger: Path, path: str, copied: Callable[[sqlite3.Connection], None] | None = None
) -> None:
    """Copy a ledger of any version to a new file, also during a scan; after an error there is none.

    Args:
        ledger: path of the ledger.
        path: path of the new file.
        copied: called with the copy before it gets its name; may raise to discard it.

    Raises:
        UsageError: the file exists already, or its folder does not.
        StorageError: there is no ledger, it is damaged, or the copy cannot be written.
    """
    with staged_path(path, _ADVICE) as staged:
        undisturbed(ledger, lambda source: copy_into(source, staged))
        if copied is not None:
            with closing(open_copy(staged)) as copy:
                copied(copy)


def undisturbed(ledger: Path, query: Callable[[sqlite3.Connection], T]) -> T:
    """Call `query` with a consistent state of a ledger of any version, without creating files.

    Without a write-ahead log no process is writing, so SQLite opens the file as immutable; if a writer
    starts meanwhile, `query` is called again.

    Raises:
        StorageError: there is no ledger, or it cannot be read.
    """
    while True:
        before = stamp(ledger)
        try:
            with closing(_connected(ledger, still=before is not None)) as connection:
                result = query(connection)
        except (sqlite3.Error, StorageError, UnicodeDecodeError) as error:
            if stamp(ledger) != before:
                continue
            raise error if isinstance(error, StorageError) else unreadable(ledger, error) from error
        if before is None or stamp(ledger) == before:
            return result


def no_ledger(path: Path) -> StorageError:
    """The error of commands that need a ledger, if nothing was scanned yet."""
    return StorageError(
        f"there is no ledger {path}: nothing has been scanned with this state folder",
        advice="scan first, or name the state folder of your scans with --state",
    )


def unreadable(ledger: Path, error: BaseException) -> StorageError:
    """The error for a ledger that cannot be read, with advice."""
    return StorageError(
        f"the ledger {ledger} cannot be read: {error}",
        advice="restore it from a backup; a new, empty one would pay again for every picture",
    )


def stamp(ledger: Path) -> tuple[int, ...] | None:
    """The state of a ledger's file, to notice changes; None while a process may be writing."""
    try:
        file_stat = os.stat(ledger)
    except OSError as error:
        raise no_ledger(ledger) from error
    writing = os.path.exists(f"{ledger}-wal")
    return None if writing else (file_stat.st_ino, file_stat.st_size, file_stat.st_mtime_ns)


def _connected(ledger: Path, *, still: bool) -> sqlite3.Connection:
    if still:
        return open_copy(str(ledger))
    uri = f"file:{quote(os.fsencode(ledger))}?mode=ro"
    return sqlite3.connect(uri, uri=True, isolation_level=None)


def copy_into(source: sqlite3.Connection, path: str) -> None:
    """Copy a ledger as it is now into an empty file, also while others write to it.

    Raises:
        StorageError: it is damaged, and so the copy would be, too.
        sqlite3.Error: it cannot be read, or the copy cannot be written.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as target:
        target.execute("PRAGMA journal_mode = OFF")  # a kill would leave a journal behind
        target.execute("PRAGMA synchronous = OFF")  # the caller syncs the file
        source.backup(target)  # in one step, to be consistent
        if not target.execute("PRAGMA user_version").fetchone()[0]:
            raise sqlite3.DatabaseError("it is not a ledger")
    with closing(open_copy(path)) as copy:
        damage = faults(copy)
    if damage:
        raise StorageError(
            f"the ledger is damaged, and was not copied: {'; '.join(damage)}",
            advice="restore it from a backup; a new, empty one would pay again for every picture",
        )


def open_copy(path: str) -> sqlite3.Connection:
    """Open a ledger that no process writes, without creating files beside it."""
    uri = f"file:{quote(os.fsencode(path))}?mode=ro&immutable=1"
    return sqlite3.connect(uri, uri=True, isolation_level=None)


def faults(connection: sqlite3.Connection) -> list[str]:
    """The first faults that SQLite finds."""
    try:
        rows = connection.execute(f"PRAGMA integrity_check({_MAX_FAULTS})").fetchall()
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        return [str(error)]
    messages = [str(row[0]) for row in rows]
    return [] if messages == _SOUND else messages
