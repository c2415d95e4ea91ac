"""Copies of a ledger: as it was at one moment, whole, and looked at."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from urllib.parse import quote

from batchscan.errors import StorageError

_MOST_FAULTS = 5  # named of a damaged ledger
_SOUND = ["ok"]


def copy_into(source: sqlite3.Connection, path: str) -> None:
    """Copy a ledger as it is now into an empty file, also while others write it.

    Raises:
        StorageError: it is damaged, and so would be the copy.
        sqlite3.Error: it cannot be read, or the disk would not take the copy.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as target:
        target.execute("PRAGMA synchronous = OFF")  # whoever made the file brings it to the disk
        source.backup(target)  # in one step: of one moment
    with closing(open_copy(path)) as copy:
        found = faults(copy)
    if found:
        raise StorageError(
            f"the ledger is damaged, and was not copied: {'; '.join(found)}",
            advice="restore it from a backup; a new one would pay again for what this one knows",
        )


def open_copy(path: str) -> sqlite3.Connection:
    """Open a ledger that nobody writes, and leave no file beside it."""
    uri = f"file:{quote(os.fsencode(path))}?mode=ro&immutable=1"
    return sqlite3.connect(uri, uri=True, isolation_level=None)


def faults(connection: sqlite3.Connection) -> list[str]:
    """What SQLite finds to be damaged; some of it, where it is much."""
    try:
        rows = connection.execute(f"PRAGMA integrity_check({_MOST_FAULTS})").fetchall()
    except sqlite3.DatabaseError as error:
        return [str(error)]
    found = [str(row[0]) for row in rows]
    return [] if found == _SOUND else found
