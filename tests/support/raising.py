"""Runs `batchscan`, in which a named point raises an error instead of going on.

python raising.py ERROR POINT NTH [batchscan's own words]
"""

from __future__ import annotations

import builtins
import sqlite3
import sys
from pathlib import Path

# Last, so that an installed batchscan is the one that runs.
sys.path.append(str(Path(__file__).parents[2]))
from tests.support import killing

if __name__ == "__main__":
    from batchscan.cli import main

    name = sys.argv[1]
    error = getattr(builtins, name, None) or getattr(sqlite3, name)

    def fail() -> None:
        raise error("on purpose")

    killing.kill = fail
    killing.set_trap(sys.argv[2], int(sys.argv[3]))
    sys.exit(main(sys.argv[4:]))
