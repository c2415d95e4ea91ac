"""Opens a ledger, and dies just before SQLite begins the nth statement: nothing is cleaned up.

python -m tests.support.killed_migration STATE NTH
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from pathlib import Path
from typing import Any

from batchscan.ledger import Ledger
from tests.support.ledgers import REAL


class _Counting(sqlite3.Connection):
    """A connection of a process that lets so many statements begin, on all of them together."""

    left = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.set_trace_callback(self._begins)

    def _begins(self, _: str) -> None:
        _Counting.left -= 1
        if not _Counting.left:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    _Counting.left = int(sys.argv[2])
    connect = sqlite3.connect
    sqlite3.connect = lambda *args, **kwargs: connect(*args, factory=_Counting, **kwargs)  # type: ignore[assignment]
    Ledger.open(Path(sys.argv[1]), REAL).close()
