"""Noticing that the ledger was removed or replaced during a scan, and saving what it holds.

SQLite goes on with the file that it has open, under no name: everything paid for since then, and
before, would be lost when the scan ends.
"""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
import time
from pathlib import Path

from batchscan.errors import BatchscanError, StorageError
from batchscan.ledger.backup import copy_into
from batchscan.util.atomic_file import staged_path

_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ESTALE, errno.ELOOP)
_ADVICE = (
    "do not touch the ledger while a scan runs. As this scan has it, it is saved beside it now: "
    "move that file back in its place, then run the same command again to continue"
)
log = logging.getLogger(__name__)


class Presence:
    """Whether the file that is open is still the one with the ledger's name."""

    def __init__(self, path: Path) -> None:
        """Remember the file, which was just opened."""
        self._path = path
        self._opened = self._current()

    def check(self) -> None:
        """Check it with one system call.

        Raises:
            StorageError: it was removed or replaced.
        """
        if self._is_gone():
            raise StorageError(
                f"the ledger {self._path} was removed or replaced during this run", advice=_ADVICE
            )

    def save(self, connection: sqlite3.Connection) -> None:
        """Save what the open file holds if it is not the ledger any more; errors are logged.

        Without its folder, which may have been moved as a whole, nothing is saved.
        """
        if not self._is_gone() or not self._path.parent.is_dir():
            return
        path = str(self._path.with_name(f"ledger-saved-{int(time.time())}.sqlite3"))
        try:
            with staged_path(path, _ADVICE) as staged:
                copy_into(connection, staged)
        except (BatchscanError, sqlite3.Error, OSError) as error:
            log.warning("the ledger of this run could not be saved to %s: %s", path, error)
        else:
            log.warning("the ledger of this run was saved to %s", path)

    def _is_gone(self) -> bool:
        try:
            return self._current() != self._opened
        except OSError as error:
            return error.errno in _GONE  # others may be those of a slow network file system

    def _current(self) -> tuple[int, int]:
        file_stat = os.stat(self._path)
        return file_stat.st_dev, file_stat.st_ino
