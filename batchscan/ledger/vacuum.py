"""Vacuum: return unused space of the ledger to the file system."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

from batchscan.errors import StorageError
from batchscan.ledger.connection import open_for_change, unusable

FreeBytes: TypeAlias = Callable[[str], int]  # of the disk with a folder
_TEMPORARY = ("/var/tmp", "/usr/tmp")  # noqa: S108 - SQLite's candidates, in its order
_LOG_OVERHEAD = 1.05  # size of a log relative to its pages


def free_bytes(folder: str) -> int:
    """Free bytes on the disk with a folder."""
    return shutil.disk_usage(folder).free


def vacuum(path: Path, free: FreeBytes = free_bytes) -> tuple[int, int]:
    """Rewrite the ledger without gaps; the lock must be held.

    Returns:
        Its size before and afterwards, in bytes.

    Raises:
        StorageError: there is none of this version, or not enough room for the copies.
    """
    before = _size(path)
    with closing(open_for_change(path)) as connection:
        try:
            _check_room(connection, path, free)
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            raise unusable(path, error) from error
    return before, _size(path)


def _size(path: Path) -> int:
    return sum(os.path.getsize(p) for p in (path, f"{path}-wal") if os.path.exists(p))


def _check_room(connection: sqlite3.Connection, path: Path, free: FreeBytes) -> None:
    """Check the room for two copies: a temporary file, and the log beside the ledger."""
    pages, unused, size = connection.execute(
        "SELECT page_count, freelist_count, page_size FROM pragma_page_count,"
        " pragma_freelist_count, pragma_page_size"
    ).fetchone()
    needed = int((pages - unused) * size * _LOG_OVERHEAD)
    places = [str(path.parent), temporary_folder()]
    for place in places:
        sharing = sum(os.stat(candidate).st_dev == os.stat(place).st_dev for candidate in places)
        if free(place) < needed * sharing:
            raise StorageError(
                f"rewriting the ledger needs {needed * sharing:,} bytes on the disk of {place}, "
                f"which has {free(place):,} free",
                advice="free some space, or name another folder with TMPDIR",
            )


def temporary_folder() -> str:
    """SQLite's folder for temporary files."""
    named = (os.environ.get("SQLITE_TMPDIR"), os.environ.get("TMPDIR"))
    for folder in (*named, *_TEMPORARY):
        if folder and os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK):
            return folder
    return tempfile.gettempdir()
