"""Reading the versions covered by a picture's answer, for reports and evidence."""

from __future__ import annotations

import sqlite3
from typing import Final

from batchscan.report_sections import Version
from batchscan.util.paths import join_path

MAX_VERSIONS: Final = 100

COVERED_FILE: Final = (
    "v.realm_id = f.realm_id AND v.sha256 = f.sha256 AND v.picture_id = f.picture_id"
)
"""Joins a file of `files f` to what covers it in `covered v`."""


def versions_of(connection: sqlite3.Connection, picture_id: int) -> tuple[Version, ...]:
    """The covered versions of a picture, the largest first; at most a fixed number of them."""
    rows = connection.execute(
        "SELECT d.path, f.name, v.width, v.height, v.distance, v.difference, v.rule"
        f" FROM covered v JOIN files f ON {COVERED_FILE} JOIN folders d ON d.id = f.folder_id"
        " WHERE v.picture_id = ? ORDER BY v.width * v.height DESC, d.path, f.name LIMIT ?",
        (picture_id, MAX_VERSIONS),
    )
    return tuple(Version(join_path(folder, name), *rest) for folder, name, *rest in rows)
