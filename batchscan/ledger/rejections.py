"""Listing rejected files by name, which every run reports."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from batchscan.util.paths import join_path

_COLUMNS = "SELECT d.path, f.name, f.size, f.line FROM"
_FOLDER = "JOIN folders d ON d.id = f.folder_id"


class RejectedFile(NamedTuple):
    """A file that is still rejected."""

    path: bytes
    size: int
    line: bytes | None  # JSON, from the run that rejected it


class Rejections:
    """Queries for the files that were rejected, which have no answer."""

    def __init__(self, connection: sqlite3.Connection, realm_id: int) -> None:
        self._connection = connection
        self._realm_id = realm_id

    def saw(self, folder_id: int, names: Mapping[str, Sequence[bytes]]) -> None:
        """Note which unchanged files of a folder are still rejected, by reason."""
        self._connection.executemany(
            "INSERT OR IGNORE INTO report_rejected VALUES (?, ?)",
            ((folder_id, name) for some in names.values() for name in some),
        )

    def seen(self) -> Iterator[RejectedFile]:
        """The rejected files that this process saw unchanged, folder by folder."""
        return self._files(
            f"{_COLUMNS} report_rejected s CROSS JOIN files f ON f.realm_id = ? AND"
            f" f.folder_id = s.folder_id AND f.name = s.name {_FOLDER}"
            " WHERE f.picture_id IS NULL ORDER BY d.path, f.name",
            self._realm_id,
        )

    def under(self, root: str) -> Iterator[RejectedFile]:
        """The rejected files at or below a folder."""
        raw = os.fsencode(root).rstrip(b"/")
        return self._files(
            f"{_COLUMNS} files f {_FOLDER} WHERE f.realm_id = ? AND f.picture_id IS NULL"
            " AND (d.path = ? OR (d.path >= ? AND d.path < ?)) ORDER BY d.path, f.name",
            self._realm_id,
            raw or b"/",
            raw + b"/",
            raw + b"0",  # "0" follows "/"
        )

    def all(self) -> Iterator[RejectedFile]:
        """All rejected files of this realm."""
        return self._files(
            f"{_COLUMNS} files f {_FOLDER} WHERE f.realm_id = ? AND f.picture_id IS NULL"
            " ORDER BY d.path, f.name",
            self._realm_id,
        )

    def _files(self, query: str, *values: object) -> Iterator[RejectedFile]:
        for folder, name, size, line in self._connection.execute(query, values):
            yield RejectedFile(join_path(folder, name), size, line)
