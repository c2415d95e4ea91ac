"""Files in the state in which they got their final verdict: what need not be opened again."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from batchscan.model import Stat

# One statement for many names; SQLite is told each length once (the driver keeps statements).
NAMES_A_QUERY = 500


@dataclass(frozen=True, slots=True)
class Standing:
    """What "unchanged" means in this run."""

    rules: str  # the fingerprint of the rules that files are rejected under
    answers_since: float  # older answers are asked for again; 0 keeps them for ever


# Name, size, mtime_ns, ctime_ns: a plain tuple, because there may be millions.
FileState: TypeAlias = tuple[str, int, int, int]


@dataclass(slots=True)
class Sorted:
    """A block of files, told apart by the ledger."""

    unchanged: int = 0
    unchanged_bytes: int = 0
    rest: list[FileState] = field(default_factory=list)  # in the block's order


class Files:
    """The table of files."""

    def __init__(self, connection: sqlite3.Connection, realm_id: int) -> None:
        self._connection = connection
        self._realm_id = realm_id

    def sort(self, folder: str, entries: Sequence[FileState], standing: Standing) -> Sorted:
        """Tell which entries of a folder are unchanged, and remember them as seen."""
        result = Sorted()
        prefix = os.fsencode(folder)
        known = self._known(prefix, [os.fsencode(entry[0]) for entry in entries])
        seen: list[tuple[int, bytes]] = []
        for entry in entries:
            name = os.fsencode(entry[0])
            row = known.get(name)
            if row is None or row[:3] != entry[1:] or not _stands(row, standing):
                result.rest.append(entry)
                continue
            result.unchanged += 1
            result.unchanged_bytes += entry[1]
            if row[6]:
                seen.append((row[4], os.path.join(prefix, name)))
        self._connection.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?, 0)", seen)
        return result

    def put(
        self,
        path: str,
        stat: Stat,
        *,
        picture_id: int | None = None,
        rules: str | None = None,
        line: bytes | None = None,
    ) -> None:
        """Remember a file's final verdict: an answered picture, or a rejection under rules."""
        folder, name = os.path.split(os.fsencode(path))
        self._connection.execute("INSERT OR IGNORE INTO folders (path) VALUES (?)", (folder,))
        self._connection.execute(
            "INSERT OR REPLACE INTO files (realm_id, folder_id, name, size, mtime_ns, ctime_ns,"
            " picture_id, rules, line)"
            " VALUES (?, (SELECT id FROM folders WHERE path = ?), ?, ?, ?, ?, ?, ?, ?)",
            (self._realm_id, folder, name, *stat, picture_id, rules, line),
        )

    def any_below(self, root: str) -> bool:
        """Whether pictures are known at or below a folder."""
        raw = os.fsencode(root).rstrip(b"/")
        row = self._connection.execute(
            "SELECT 1 FROM folders JOIN files ON folder_id = folders.id AND realm_id = ?"
            " WHERE folders.path = ? OR (folders.path >= ? AND folders.path < ?) LIMIT 1",
            (self._realm_id, raw or b"/", raw + b"/", raw + b"0"),  # "0" follows "/"
        ).fetchone()
        return row is not None

    def _known(self, folder: bytes, names: list[bytes]) -> dict[bytes, tuple[Any, ...]]:
        row = self._connection.execute(
            "SELECT id FROM folders WHERE path = ?", (folder,)
        ).fetchone()
        if row is None:
            return {}
        known: dict[bytes, tuple[Any, ...]] = {}
        for start in range(0, len(names), NAMES_A_QUERY):
            some = names[start : start + NAMES_A_QUERY]
            known.update((found[0], found[1:]) for found in self._rows(row[0], some))
        return known

    def _rows(self, folder_id: int, names: list[bytes]) -> Iterable[tuple[Any, ...]]:
        marks = ",".join("?" * len(names))
        query = (
            "SELECT f.name, f.size, f.mtime_ns, f.ctime_ns, f.rules, f.picture_id, a.received_at,"
            " EXISTS (SELECT 1 FROM matches m WHERE m.picture_id = f.picture_id)"
            " FROM files f LEFT JOIN pictures p ON p.id = f.picture_id"
            " LEFT JOIN answers a ON a.id = p.answer_id"
            f" WHERE f.realm_id = ? AND f.folder_id = ? AND f.name IN ({marks})"
        )
        return self._connection.execute(query, (self._realm_id, folder_id, *names))


def _stands(row: tuple[Any, ...], standing: Standing) -> bool:
    """Whether a verdict (rules, picture, time of the answer) still holds in this run."""
    rules, received_at = row[3], row[5]
    if rules is not None:
        return bool(rules == standing.rules)
    return bool(received_at is not None and received_at >= standing.answers_since)
