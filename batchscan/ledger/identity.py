"""Which ledger this is, and how far it came: so that one that went back is found out.

Every change of runs, claims and answers counts (by triggers). A scan notes the number beside the
ledger after each commit, before anything is sent because of it, so the note is never ahead of a
ledger that is whole. It need not reach the disk at once: a note that lags is no trouble.
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
    """How far a ledger came, as its last scan noted it."""

    ledger: str
    changes: int
    at: float  # seconds since 1970
    stamp: tuple[int, int, int] | None = None  # of the file, once the scan had closed it


class Identity:
    """The table of the ledger's identity, with its one row."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @property
    def id(self) -> str:
        """The same for all copies of a ledger, and for no other ledger."""
        return str(self._row()[0])

    @property
    def changes(self) -> int:
        """How often runs, claims and answers changed, ever."""
        return int(self._row()[1])

    @property
    def accepted_until(self) -> float:
        """Runs that started until then may be unknown: a user said so. Seconds since 1970."""
        return float(self._row()[2])

    @property
    def is_new(self) -> bool:
        """Whether no run and no answer was ever entered."""
        query = "SELECT EXISTS (SELECT 1 FROM runs) OR EXISTS (SELECT 1 FROM answers)"
        return not self._connection.execute(query).fetchone()[0]

    def knows(self, run_id: str) -> bool:
        """Whether a run was ever entered, also one that was forgotten since."""
        query = (
            "SELECT EXISTS (SELECT 1 FROM runs WHERE run_id = :run)"
            " OR EXISTS (SELECT 1 FROM doubts WHERE run_id = :run)"
            " OR EXISTS (SELECT 1 FROM answers WHERE run_id = :run)"
        )
        return bool(self._connection.execute(query, {"run": run_id}).fetchone()[0])

    def accept(self, until: float) -> None:
        """Hold no run that started until then against the ledger."""
        self._connection.execute("UPDATE identity SET accepted_until = ?", (until,))

    def _row(self) -> tuple[str, int, float]:
        row: tuple[str, int, float] = self._connection.execute(
            "SELECT ledger_id, changes, accepted_until FROM identity"
        ).fetchone()
        return row


class Noting:
    """Notes beside a ledger how far it came."""

    def __init__(self, state: Path, identity: Identity) -> None:
        """Open the file, and write nothing yet.

        Raises:
            OSError: it cannot be made.
        """
        self._identity = identity
        self._id = identity.id
        self._noted = -1
        flags = os.O_WRONLY | os.O_CREAT | system.O_NOFOLLOW
        self._file = open_private(state / FILE_NAME, flags)

    def note(self) -> None:
        """Note how far the ledger is, after a commit."""
        changes = self._identity.changes
        if changes == self._noted:
            return
        text = self._text(changes, "")
        with suppress(OSError):  # a note that lags is no trouble
            os.pwrite(self._file, text.encode(), 0)  # as long as the one before
            if self._noted < 0:
                os.ftruncate(self._file, len(text))
        self._noted = changes

    def close(self, stamp: tuple[int, int, int] | None) -> None:
        """Note how the scan left the file of the ledger, and give this one back."""
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
    """How the last scan left the ledger's file; None where it was killed, or there was none."""
    noted = high_water(state)
    return None if noted is None else noted.stamp


def high_water(state: Path) -> HighWater | None:
    """What was noted last in a state folder; None without a note that can be read."""
    try:
        return msgspec.json.decode((state / FILE_NAME).read_bytes(), type=HighWater)
    except (OSError, msgspec.MsgspecError):
        return None
