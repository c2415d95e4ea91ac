"""Giving back the room that nothing in the ledger uses any more."""

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

FreeBytes: TypeAlias = Callable[[str], int]  # of the disk that a folder is on
_TEMPORARY = ("/var/tmp", "/usr/tmp")  # noqa: S108 - where SQLite looks, in its order
_MORE = 1.05  # what a log takes beyond the pages in it


def free_bytes(folder: str) -> int:
    """Bytes that are free on the disk of a folder."""
    return shutil.disk_usage(folder).free


def vacuum(path: Path, free: FreeBytes = free_bytes) -> tuple[int, int]:
    """Write the ledger anew without its gaps; its size before and afterwards. Needs the lock.

    Raises:
        StorageError: there is none of this version, or the disk has no room for it meanwhile.
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
    """It is written once into a temporary file, and from there into the log beside the ledger."""
    pages, unused, size = connection.execute(
        "SELECT page_count, freelist_count, page_size FROM pragma_page_count,"
        " pragma_freelist_count, pragma_page_size"
    ).fetchone()
    needed = int((pages - unused) * size * _MORE)
    places = [str(path.parent), temporary_folder()]
    for place in places:
        sharing = sum(os.stat(other).st_dev == os.stat(place).st_dev for other in places)
        if free(place) < needed * sharing:
            raise StorageError(
                f"the disk of {place} has {free(place):,} bytes free, and"
                f" {needed * sharing:,} are needed to rewrite the ledger",
                advice="free some space, or name another folder with TMPDIR",
            )


def temporary_folder() -> str:
    """The folder in which SQLite keeps temporary files."""
    named = (os.environ.get("SQLITE_TMPDIR"), os.environ.get("TMPDIR"))
    for folder in (*named, *_TEMPORARY):
        if folder and os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK):
            return folder
    return tempfile.gettempdir()
