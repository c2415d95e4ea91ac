"""The identity of a ledger and its number of changes, to detect one that was restored or replaced.

Triggers count every change of runs, claims and answers. A scan writes the number to a file beside
the ledger after each commit, before anything is sent because of it, so the note is never ahead of
an intact ledger. The file is not synced: a note that lags behind does no harm.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

import msgspec

from batchscan.util import system
from batchscan.util.private_files import open_private

FILE_NAME = "high-water.json"
_DIGITS = 20


class HighWater(msgspec.Struct, frozen=True):
    """The number of changes of a ledger, as noted by its last scan."""

    ledger: str
    changes: int
    at: float  # seconds since 1970
    stamp: tuple[int, int, int] | None = None  # of the file after the scan closed it


class Identity:
    """The table with the ledger's identity, which has one row."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @property
    def id(self) -> str:
        """A unique id, which copies of a ledger share."""
        return str(self._row()[0])

    @property
    def changes(self) -> int:
        """The number of changes of runs, claims and answers."""
        return int(self._row()[1])

    @property
    def accepted_until(self) -> float:
        """Runs that started before this time are accepted as unknown. Seconds since 1970."""
        return float(self._row()[2])

    @property
    def is_new(self) -> bool:
        """Whether it has never had a run or an answer."""
        query = "SELECT EXISTS (SELECT 1 FROM runs) OR EXISTS (SELECT 1 FROM answers)"
        return not self._connection.execute(query).fetchone()[0]

    def knows(self, run_id: str) -> bool:
        """Whether a run was ever entered, even if it was deleted since."""
        query = (
            "SELECT EXISTS (SELECT 1 FROM runs WHERE run_id = :run)"
            " OR EXISTS (SELECT 1 FROM doubts WHERE run_id = :run)"
            " OR EXISTS (SELECT 1 FROM answers WHERE run_id = :run)"
        )
        return bool(self._connection.execute(query, {"run": run_id}).fetchone()[0])

    def outputs(self, most: int) -> list[str]:
        """The output folders of so many of the newest runs."""
        rows = self._connection.execute(
            "SELECT folder FROM runs ORDER BY started_at DESC LIMIT ?", (most,)
        )
        return list(
            dict.fromkeys(
                os.path.dirname(os.path.dirname(os.fsdecode(folder))) for (folder,) in rows
            )
        )

    def accept(self, until: float) -> None:
        """Accept that runs which started before a time (seconds since 1970) are unknown."""
        self._connection.execute("UPDATE identity SET accepted_until = ?", (until,))

    def _row(self) -> tuple[str, int, float]:
        row: tuple[str, int, float] = self._connection.execute(
            "SELECT ledger_id, changes, accepted_until FROM identity"
        ).fetchone()
        return row


class Noting:
    """Writes the number of changes to a file beside the ledger."""

    def __init__(self, state: Path, identity: Identity) -> None:
        """Open the file without writing to it.

        Raises:
            OSError: it cannot be created.
        """
        self._identity = identity
        self._id = identity.id
        self._noted = -1
        flags = os.O_WRONLY | os.O_CREAT | system.O_NOFOLLOW
        self._file = open_private(state / FILE_NAME, flags)

    def note(self) -> None:
        """Write the current number, after a commit."""
        changes = self._identity.changes
        if changes == self._noted:
            return
        text = self._text(changes, "")
        with suppress(OSError):  # a note that lags behind does no harm
            os.pwrite(self._file, text.encode(), 0)  # has the same length each time
            if self._noted < 0:
                os.ftruncate(self._file, len(text))
        self._noted = changes

    def close(self, stamp: tuple[int, int, int] | None) -> None:
        """Write the state of the ledger's file after the scan, and close this one."""
        if stamp is not None and self._noted >= 0:
            with suppress(OSError):
                text = self._text(self._noted, f', "stamp": {list(stamp)}')
                os.pwrite(self._file, text.encode(), 0)
        os.close(self._file)

    def _text(self, changes: int, more: str) -> str:
        return (
            f'{{"ledger": "{self._id}", "changes": {changes:{_DIGITS}},'
            f' "at": {time.time():{_DIGITS}.3f}{more}}}\n'
        )


def stamp_noted(state: Path) -> tuple[int, int, int] | None:
    """The state of the ledger's file after the last scan; None if that was killed or is missing."""
    noted = high_water(state)
    return None if noted is None else noted.stamp


def high_water(state: Path) -> HighWater | None:
    """The last note in a state folder; None without a readable one."""
    try:
        return msgspec.json.decode((state / FILE_NAME).read_bytes(), type=HighWater)
    except (OSError, msgspec.MsgspecError):
        return None
