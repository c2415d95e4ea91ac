"""Opening the ledger: durable for the one that scans, untouched by those that only read."""

from __future__ import annotations

import os
import sqlite3
import zlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

import msgspec

from batchscan.copyleaks.answers import InternetMatch, read_check
from batchscan.copyleaks.errors import BadResponse
from batchscan.errors import StorageError
from batchscan.ledger.schema import MIGRATIONS, TEMPORARY, VERSION
from batchscan.urls import normalised

BUSY_TIMEOUT_MS = 30_000


def open_for_writing(path: Path) -> sqlite3.Connection:
    """Open or make the ledger; every commit is on the disk when it returns.

    Raises:
        StorageError: it cannot be written, is no ledger, or is a newer batchscan's.
    """

    def prepare(connection: sqlite3.Connection) -> None:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        _migrate(connection, path)

    def connect() -> sqlite3.Connection:
        # Made by us first: SQLite gives its -wal and -shm files the mode of this one.
        if not path.exists():
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            os.fchmod(descriptor, 0o600)  # whatever the umask
            os.close(descriptor)
        return sqlite3.connect(path, isolation_level=None, check_same_thread=False)

    return _opened(path, connect, prepare)


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open the ledger without writing anything beside it; an empty one where there is none.

    Raises:
        StorageError: it is no ledger, cannot be read, or is of another version.
    """

    def prepare(connection: sqlite3.Connection) -> None:
        version = _version(connection)
        if version != VERSION:
            raise _other_version(path, version)

    return _opened(path, lambda: _connect_to_read(path), prepare)


def open_for_change(path: Path) -> sqlite3.Connection:
    """Open a ledger that is there, of this version, for small changes, also while a scan writes.

    Raises:
        StorageError: there is none, it cannot be written, or is of another version.
    """

    def prepare(connection: sqlite3.Connection) -> None:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA synchronous = FULL")
        version = _version(connection)
        if version != VERSION:
            raise _other_version(path, version)

    def connect() -> sqlite3.Connection:
        if not path.exists():
            raise StorageError(
                f"there is no ledger {path}", advice="name the state folder of your scans: --state"
            )
        uri = f"file:{quote(os.fsencode(path))}?mode=rw"
        return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)

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
    except (OSError, sqlite3.Error) as error:
        raise unusable(path, error) from error
    return connection


def unusable(path: Path, error: BaseException) -> StorageError:
    """Say that the ledger cannot be used, and what to do."""
    return StorageError(
        f"the ledger {path} cannot be used: {error}",
        advice="free space, mend the permissions, or restore the file from a backup; "
        "a new one would pay again for what this one knows",
    )


def _connect_to_read(path: Path) -> sqlite3.Connection:
    if not path.exists():
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        _migrate(connection, path)
        return connection
    # Without a -wal beside it nobody is writing: `immutable` then leaves no files behind.
    still = not Path(f"{path}-wal").exists()
    uri = f"file:{quote(os.fsencode(path))}?mode=ro{'&immutable=1' if still else ''}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    version = _version(connection)
    if version > VERSION:
        raise _other_version(path, version)
    connection.create_function("normalised", 1, normalised, deterministic=True)
    connection.create_function("pages_in", 2, _pages_in, deterministic=True)
    for number in range(version, VERSION):
        connection.executescript(
            f"BEGIN IMMEDIATE;{MIGRATIONS[number]};PRAGMA user_version = {number + 1};COMMIT;"
        )


def _pages_in(body: bytes, url: str) -> bytes | None:
    """The pages that show a match, by the verbatim answer; for version 3."""
    pages = next((m.web_pages for m in _internet_of(body) if m.url == url), ())
    return msgspec.json.encode(pages) if pages else None


@lru_cache(1)  # an answer's matches come one after the other
def _internet_of(body: bytes) -> tuple[InternetMatch, ...]:
    try:
        return read_check(zlib.decompress(body), None).internet
    except BadResponse:
        return ()


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _other_version(path: Path, version: int) -> StorageError:
    if version > VERSION:
        advice = "install that batchscan, or name another state folder with --state"
        made_by = "a newer"
    else:
        advice = "the next scan brings it up to date"
        made_by = "an older"
    return StorageError(f"the ledger {path} is {made_by} batchscan's", advice=advice)
