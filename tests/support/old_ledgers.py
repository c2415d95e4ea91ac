"""Ledgers of earlier versions, put back as if they had been made below another folder."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import msgspec

from batchscan.ledger import FILE_NAME
from tests.ledger.fixtures import make

VERSIONS = sorted(path.stem for path in make.HERE.glob("v*.sql"))


@dataclass(frozen=True)
class Old:
    """A state folder and its pictures."""

    root: Path

    @property
    def images(self) -> Path:
        return self.root / "images"

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def ledger(self) -> Path:
        return self.state / FILE_NAME


def restored(version: str, folder: Path) -> Old:
    """The ledger of a version, and the pictures that were there when its last run was killed."""
    old = Old(Path(make.root_below(str(folder))))
    pictures = make.read_pictures()
    make.write_pictures(old.images, {key: pictures[key] for key in pictures if key[1] != make.GONE})
    old.state.mkdir(mode=0o700)
    old.ledger.touch(0o600)
    script = (make.HERE / f"{version}.sql").read_text()
    with closing(sqlite3.connect(old.ledger)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        connection.executescript(f"BEGIN;{make.moved(script, make.ROOT, str(old.root))};COMMIT;")
        _take_times_over(connection)
        connection.commit()
    return old


def _take_times_over(connection: sqlite3.Connection) -> None:
    """Let the ledger know the files as they were written now, and seals hold that held."""
    seals = "SELECT 1 FROM sqlite_master WHERE name = 'seals'"
    sealed = _sealed(connection) if connection.execute(seals).fetchone() else {}
    paths = "SELECT folder_id, path, name FROM files JOIN folders ON folders.id = folder_id"
    for folder_id, folder, name in connection.execute(paths).fetchall():
        path = os.path.join(folder, name)
        if os.path.exists(path):
            stat = os.stat(path)
            connection.execute(
                "UPDATE files SET mtime_ns = ?, ctime_ns = ? WHERE folder_id = ? AND name = ?",
                (stat.st_mtime_ns, stat.st_ctime_ns, folder_id, name),
            )
    for key, names in sealed.items():
        connection.execute(
            "UPDATE seals SET fingerprint = ? WHERE realm_id = ? AND folder_id = ?",
            (_fingerprint(connection, key, names), *key),
        )


def _sealed(connection: sqlite3.Connection) -> dict[tuple[int, int], list[bytes]]:
    """Each seal, and the names that it is of: with or without what is gone."""
    found = {}
    seals = connection.execute("SELECT realm_id, folder_id, fingerprint FROM seals").fetchall()
    for realm_id, folder_id, fingerprint in seals:
        key = (realm_id, folder_id)
        query = "SELECT name FROM files WHERE realm_id = ? AND folder_id = ? ORDER BY name"
        names = [row[0] for row in connection.execute(query, key)]
        for some in (names, [name for name in names if name != make.GONE]):
            if _fingerprint(connection, key, some) == fingerprint:
                found[key] = some
    assert len(found) == len(seals)
    return found


def _fingerprint(connection: sqlite3.Connection, key: tuple[int, int], names: list[bytes]) -> bytes:
    states = "SELECT size, mtime_ns, ctime_ns FROM files WHERE realm_id = ? AND folder_id = ?"
    entries = [
        (name.decode(), *connection.execute(f"{states} AND name = ?", (*key, name)).fetchone())
        for name in names
    ]
    return hashlib.blake2b(msgspec.msgpack.encode(entries), digest_size=16).digest()
