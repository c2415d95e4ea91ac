"""What is damaged in a ledger, and mending what can be made again.

SQLite finds damaged pages when it meets them, and some only when every page is looked at: an index
that lost a row lets a picture look as if it had never been asked about. So a ledger that anything
but batchscan wrote since its last scan, or whose last scan was killed, is looked at as a whole once.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from batchscan.errors import StorageError
from batchscan.ledger.backup import faults
from batchscan.ledger.integrity import ODD, IntegrityChecker
from batchscan.ledger.migrate import name_of, schema_of
from batchscan.ledger.schema import VERSION

CACHES = ("seals", "portraits", "digests", "cached_files")  # made again by the scans to come
ADVICE = (
    "`batchscan state check` shows what is damaged; restore the ledger from a backup: a new one "
    "would pay again for what this one knows"
)
_MAX_COUNT = 50  # faults looked at
_UNUSED = "never used"  # a page of what was made anew
log = logging.getLogger(__name__)

Stamp = tuple[int, int, int]


def stamp(path: Path) -> Stamp | None:
    """What changes when a ledger is written; None where there is none, or its log is not empty."""
    try:
        found = os.stat(path)
        if Path(f"{path}-wal").exists() and os.path.getsize(f"{path}-wal"):
            return None
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def check_whole(path: Path) -> None:
    """Look at every page, and make again what can be.

    By connections of its own: one that met damage refuses to write.

    Raises:
        StorageError: something is damaged that cannot be made again; it is left as it is.
        sqlite3.Error: it cannot be read.
    """
    with closing(_connect(path, "ro")) as connection:
        found = faults(connection)
        if not found:
            return
        torn = _torn(connection)
    with closing(_connect(path, "rw")) as connection:
        mended = _mended(connection, torn)
    if not mended:
        raise damaged(path, found)
    log.warning("the ledger was damaged where it can be made again, and was: %s", "; ".join(found))


def damaged(path: Path, what: list[str]) -> StorageError:
    """Say that a ledger is damaged."""
    return StorageError(f"the ledger {path} is damaged: {'; '.join(what)}", advice=ADVICE)


def damage_behind(connection: sqlite3.Connection, path: Path) -> StorageError | None:
    """The damage that may be why something unexpected happened; None where all is sound."""
    found = faults(connection)
    soundness = IntegrityChecker(connection)
    for look in (soundness.columns, soundness.payments, soundness.answers, soundness.references):
        if found:
            break
        try:
            found = look().faults
        except ODD as error:
            found = [str(error)]
    return damaged(path, found) if found else None


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"file:{quote(os.fsencode(path))}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _mended(connection: sqlite3.Connection, torn: set[str]) -> bool:
    """Make caches and indexes again; whether that was all that was damaged."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        _make_again(connection, torn)
        rest = connection.execute(f"PRAGMA integrity_check({_MAX_COUNT})").fetchall()
        sound = all(row[0] == "ok" or _UNUSED in row[0] for row in rest)
        sound = sound and not IntegrityChecker(connection).payments().wrong
        connection.execute("COMMIT" if sound else "ROLLBACK")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        sound = False
    connection.execute("PRAGMA writable_schema = RESET")
    if sound:
        connection.execute("VACUUM")  # pages of what was made anew
    return sound


def _make_again(connection: sqlite3.Connection, torn: set[str]) -> None:
    rows = connection.execute(
        "SELECT type, name, tbl_name FROM sqlite_master WHERE sql NOT NULL"
    ).fetchall()
    again = [row for row in rows if row[0] == "index" or row[2] in torn]
    connection.execute("PRAGMA writable_schema = ON")
    # Dropping them would read what is damaged
    connection.executemany(
        "DELETE FROM sqlite_master WHERE type = ? AND name = ?", (row[:2] for row in again)
    )
    connection.executemany(
        "DELETE FROM sqlite_master WHERE tbl_name = ?", ((table,) for table in torn)
    )
    connection.execute("PRAGMA writable_schema = RESET")
    names = {row[1] for row in again}
    for statement in schema_of(VERSION):  # ours, and not what a damaged file says
        if name_of(statement) in names:
            connection.execute(statement)


def _torn(connection: sqlite3.Connection) -> set[str]:
    """The caches that cannot be read."""
    torn = set()
    for table in tuple(CACHES):
        try:
            connection.execute(f"SELECT * FROM {table} NOT INDEXED").fetchall()
        except sqlite3.DatabaseError:
            torn.add(table)
    return torn
