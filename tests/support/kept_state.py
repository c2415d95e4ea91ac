"""A bench's ledger and output that are damaged, and put back as they were."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing

from tests.support.bench import Bench

FOLDERS = ("state", "output")


def keep(bench: Bench) -> None:
    """Copy what the scans have written until now."""
    for name in FOLDERS:
        shutil.copytree(bench.folder / name, bench.folder / "whole" / name, symlinks=True)


def put_back(bench: Bench) -> None:
    """Replace state and output by the copy."""
    for name in FOLDERS:
        shutil.rmtree(bench.folder / name)
        shutil.copytree(bench.folder / "whole" / name, bench.folder / name, symlinks=True)


def alter(bench: Bench, sql: str) -> None:
    """Change the ledger by a statement, without its triggers."""
    with closing(sqlite3.connect(bench.folder / "state" / "ledger.sqlite3")) as ledger:
        for (name,) in ledger.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            ledger.execute(f"DROP TRIGGER {name}")
        ledger.execute(sql)
        ledger.commit()
