"""Opening the ledger: for scans (durable), for small changes, and for reading without traces."""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from batchscan.errors import StorageError
from batchscan.ledger.backup import no_ledger
from batchscan.ledger.migrate import migrate, other_version, refuse_foreign, version_of
from batchscan.ledger.schema import VERSION
from batchscan.ledger.temporary import TEMPORARY
from batchscan.util.interrupts import note_swallowed
from batchscan.util.private_files import can_sync, open_private

BUSY_TIMEOUT_MS = 30_000
CACHE_KIB = 16 * 1024  # enough for entering an answer with very many matches
_ROOM, _RIGHTS = "free some space", "correct the permissions"
_BACKUP = "restore the file from a backup (`batchscan state check` shows what is damaged)"
_OF_SYSTEM = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), _ROOM),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), _RIGHTS),
}
_OF_SQLITE = {
    sqlite3.SQLITE_FULL: _ROOM,
    **dict.fromkeys(
        (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN), _RIGHTS
    ),
    **dict.fromkeys((sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB), _BACKUP),
}
_TURN = 0.01  # seconds between two attempts
_CHANGES = frozenset({sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE})
_SCHEMA = "sqlite_master"  # SQLite notes its own virtual tables there, and writes nothing


def open_for_writing(path: Path) -> sqlite3.Connection:
    """Open or create the ledger; every commit is synced to disk.

    Raises:
        StorageError: it cannot be written, is not a ledger, or is of a newer version.
    """
    synced = True

    def prepare(connection: sqlite3.Connection) -> None:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        refuse_foreign(connection, path)  # before its mode is changed
        _write_ahead(connection)
        connection.execute(f"PRAGMA synchronous = {'FULL' if synced else 'OFF'}")
        migrate(connection, path)

    def connect() -> sqlite3.Connection:
        # Create it with our mode first: SQLite creates its -wal and -shm files with the same one.
        if not path.exists():
            os.close(open_private(path, os.O_RDWR | os.O_CREAT))
        # Before SQLite opens it: to close a file ends all locks that this process has on it, and
        # without its lock another process would remove the log that is being written.
        nonlocal synced
        synced = can_sync(path)
        return sqlite3.connect(path, isolation_level=None, check_same_thread=False)

    return _opened(path, connect, prepare)


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open the ledger for reading, without creating files; an empty one if there is none.

    Raises:
        StorageError: it is not a ledger, cannot be read, or is of another version.
    """

    def prepare(connection: sqlite3.Connection) -> None:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        version = version_of(connection)
        if version != VERSION:
            raise other_version(path, version)

    return _opened(path, lambda: _connect_to_read(path), prepare)


def open_for_change(path: Path) -> sqlite3.Connection:
    """Open an existing ledger for small changes, also while a scan writes to it.

    Raises:
        StorageError: there is none, it cannot be written, or it is of another version.
    """

    def prepare(connection: sqlite3.Connection) -> None:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA synchronous = FULL")
        version = version_of(connection)
        if version != VERSION:
            raise other_version(path, version)

    def connect() -> sqlite3.Connection:
        if not path.exists():
            raise no_ledger(path)
        return _connect(path, "mode=rw")

    return _opened(path, connect, prepare)


def _opened(
    path: Path,
    connect: Callable[[], sqlite3.Connection],
    prepare: Callable[[sqlite3.Connection], None],
) -> sqlite3.Connection:
    try:
        connection = connect()
        try:
            prepare(connection)
            connection.executescript(TEMPORARY)
        except BaseException:
            connection.close()
            raise
    except (OSError, sqlite3.Error, UnicodeDecodeError) as error:  # a message may quote damage
        raise unusable(path, error) from error
    return connection


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to a write-ahead log; retried, as SQLite does not wait for others that do the same."""
    until = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > until:
                raise
            time.sleep(_TURN)
        else:
            return


def unusable(path: Path, error: BaseException) -> StorageError:
    """The error for a ledger that cannot be used, with advice."""
    if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
        return StorageError(
            f"the ledger {path} is being written by another process, which did not finish in time",
            advice="try again; if no batchscan is running, find the process that has the file open",
        )
    why = error.strerror if isinstance(error, OSError) else error
    return StorageError(
        f"the ledger {path} cannot be used: {why}",
        advice=f"{_remedy(error)}; a new, empty one would pay again for every picture",
    )


def _remedy(error: BaseException) -> str:
    """What helps against an error of SQLite or the system; everything that may, if that is unclear."""
    if isinstance(error, OSError):
        remedy = _OF_SYSTEM.get(error.errno or 0)
    else:
        remedy = _OF_SQLITE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
    return remedy or f"{_ROOM}, {_RIGHTS}, or {_BACKUP}"


def _connect_to_read(path: Path) -> sqlite3.Connection:
    if not path.exists():
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        migrate(connection, path)
        return connection
    log = Path(f"{path}-wal")
    if log.exists() and log.stat().st_size:  # a process is writing it, or was killed
        return _connect(path, "mode=ro")
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        # In this mode SQLite locks the file against writers, and removes its files afterwards.
        connection = _connect(path, "mode=rw")
        note_swallowed()
        connection.set_authorizer(_only_reading)
        return connection
    return _connect(path, "mode=ro&immutable=1")


def _connect(path: Path, how: str) -> sqlite3.Connection:
    uri = f"file:{quote(os.fsencode(path))}?{how}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)


def _only_reading(
    action: int, table: str | None, _two: str | None, database: str | None, _by: str | None
) -> int:
    """Deny changes of the ledger itself; temporary tables may be written."""
    denied = action in _CHANGES and database == "main" and table != _SCHEMA
    return sqlite3.SQLITE_DENY if denied else sqlite3.SQLITE_OK
