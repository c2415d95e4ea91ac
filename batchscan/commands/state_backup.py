"""Backups of a state folder: the ledger, and the captures that it lists."""

from __future__ import annotations

import os
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from batchscan.capture.capture_files import FOLDER, copy_all
from batchscan.errors import UsageError
from batchscan.ledger import FILE_NAME
from batchscan.ledger.backup import back_up
from batchscan.ledger.captures import kept_files
from batchscan.util.escaping import printable

SUFFIX: Final = ".captures"
"""Suffix of the folder with the captures, beside the ledger's copy."""


@dataclass(slots=True)
class Backup:
    """The result of a backup."""

    captures: int = 0
    folder: str | None = None  # with them; None without one
    left: tuple[tuple[str, str], ...] = ()  # captures that are not sound, and why


def copy_state(state: Path, path: str) -> Backup:
    """Copy the ledger to a new file, and its captures to a new folder beside that.

    Raises:
        UsageError: something is there already, or no folder for it.
        StorageError: there is no ledger, it is damaged, or the copies cannot be written.
    """
    done = Backup()
    folder = f"{path}{SUFFIX}"

    def copy_captures(copy: sqlite3.Connection) -> None:
        files = kept_files(copy)
        if not files:
            return
        if os.path.lexists(folder):
            raise UsageError(
                f"'{printable(folder)}' is there already, and is not overwritten",
                advice="choose another name for the backup",
            )
        done.left = tuple(copy_all(str(state / FOLDER), files, folder))
        done.captures, done.folder = len(files) - len(done.left), folder

    try:
        back_up(state / FILE_NAME, path, copy_captures)
    except BaseException:
        if done.folder is not None:  # made by us, and the ledger's copy beside it is not there
            shutil.rmtree(done.folder, ignore_errors=True)
        raise
    return done
