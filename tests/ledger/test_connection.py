from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from batchscan.ledger.connection import unusable


def written_without_room(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA max_page_count = 2")
        connection.execute("CREATE TABLE t (data BLOB)")
        connection.execute("INSERT INTO t VALUES (zeroblob(99999))")


def written_without_rights(path: Path) -> None:
    sqlite3.connect(path).close()
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        connection.execute("CREATE TABLE t (data BLOB)")


def opened_without_rights(path: Path) -> None:
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))


def read_though_damaged(path: Path) -> None:
    path.write_bytes(b"not a database" * 100)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT * FROM t")


@pytest.mark.parametrize(
    ("attempt", "why", "advice"),
    [
        (written_without_room, "database or disk is full", "free some space; "),
        (written_without_rights, "attempt to write a readonly", "correct the permissions; "),
        (opened_without_rights, "Permission denied", "correct the permissions; "),
        (read_though_damaged, "file is not a database", "restore the file from a backup "),
    ],
)
def test_the_advice_about_a_ledger_that_cannot_be_used_fits_the_error(
    tmp_path: Path, attempt: Callable[[Path], None], why: str, advice: str
):
    with pytest.raises((sqlite3.Error, OSError)) as caught:
        attempt(tmp_path / "file")
    told = unusable(tmp_path, caught.value)

    assert f"cannot be used: {why}" in str(told)
    assert told.advice is not None
    assert told.advice.startswith(advice)
    assert told.advice.endswith("a new, empty one would pay again for every picture")
