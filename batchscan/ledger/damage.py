"""Finding damage in a ledger, and repairing what can be rebuilt.

SQLite notices some damage only in a check of the whole file: an index that lost a row makes a
picture look as if it had never been sent. So a ledger that was written by anything but batchscan
since its last scan, or whose last scan was killed, is checked as a whole once.
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

CACHES = ("seals", "portraits", "digests", "cached_files")  # rebuilt by later scans
ADVICE = (
    "`batchscan state check` shows what is damaged; restore the ledger from a backup: a new, empty "
    "one would pay again for every picture"
)
_MAX_COUNT = 50  # faults that are read
_UNUSED = "never used"  # SQLite's message about a page of a rebuilt table
log = logging.getLogger(__name__)

Stamp = tuple[int, int, int]


def stamp(path: Path) -> Stamp | None:
    """The state of a ledger's file, to notice changes; None without one, or with a pending log."""
    try:
        file_stat = os.stat(path)
        if Path(f"{path}-wal").exists() and os.path.getsize(f"{path}-wal"):
            return None
    except OSError:
        return None
    return file_stat.st_ino, file_stat.st_size, file_stat.st_mtime_ns


def check_whole(path: Path) -> None:
    """Check every page, and rebuild caches and indexes that are damaged.

    On connections of its own: one that has met damage refuses to write.

    Raises:
        StorageError: something is damaged that cannot be rebuilt; nothing was changed.
        sqlite3.Error: it cannot be read.
    """
    with closing(_connect(path, "ro")) as connection:
        messages = faults(connection)
        if not messages:
            return
        torn = _torn(connection)
    with closing(_connect(path, "rw")) as connection:
        mended = _mended(connection, torn)
    if not mended:
        raise damaged(path, messages)
    log.warning("a part of the ledger was damaged and has been rebuilt: %s", "; ".join(messages))


def damaged(path: Path, what: list[str]) -> StorageError:
    """The error for a damaged ledger, with advice."""
    return StorageError(f"the ledger {path} is damaged: {'; '.join(what)}", advice=ADVICE)


def damage_behind(connection: sqlite3.Connection, path: Path) -> StorageError | None:
    """The damage that may explain an unexpected error; None if the ledger is sound."""
    messages = faults(connection)
    soundness = IntegrityChecker(connection)
    for check in (soundness.columns, soundness.payments, soundness.answers, soundness.references):
        if messages:
            break
        try:
            messages = check().faults
        except ODD as error:
            messages = [str(error)]
    return damaged(path, messages) if messages else None


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"file:{quote(os.fsencode(path))}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _mended(connection: sqlite3.Connection, torn: set[str]) -> bool:
    """Rebuild caches and indexes; returns whether nothing else is damaged."""
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
        connection.execute("VACUUM")  # drops the unused pages of rebuilt tables
    return sound


def _make_again(connection: sqlite3.Connection, torn: set[str]) -> None:
    rows = connection.execute(
        "SELECT type, name, tbl_name FROM sqlite_master WHERE sql NOT NULL"
    ).fetchall()
    again = [row for row in rows if row[0] == "index" or row[2] in torn]
    connection.execute("PRAGMA writable_schema = ON")
    # Dropping them would read the damaged pages.
    connection.executemany(
        "DELETE FROM sqlite_master WHERE type = ? AND name = ?", (row[:2] for row in again)
    )
    connection.executemany(
        "DELETE FROM sqlite_master WHERE tbl_name = ?", ((table,) for table in torn)
    )
    connection.execute("PRAGMA writable_schema = RESET")
    names = {row[1] for row in again}
    for statement in schema_of(VERSION):  # not the schema in the damaged file
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
