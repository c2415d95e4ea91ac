from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from batchscan.ledger import FILE_NAME, Ledger, Realm
from batchscan.ledger.realms import enter

REAL = Realm("https://api.copyleaks.com", sandbox=False)
OTHER = Realm("https://api.example.com", sandbox=False)


def test_an_error_after_which_sqlite_rolls_back_by_itself_is_the_one_that_is_named(tmp_path: Path):
    Ledger.open(tmp_path, REAL).close()
    path = tmp_path / FILE_NAME
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(
            "CREATE TEMP TRIGGER broken BEFORE INSERT ON main.realms"
            " BEGIN SELECT RAISE(ROLLBACK, 'the disk is broken'); END"
        )
        with pytest.raises(sqlite3.Error, match="the disk is broken"):
            enter(connection, OTHER)
