"""Reading the versions covered by a picture's answer, for reports and evidence."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Final

from batchscan.rendition_types import JOINED_RULE
from batchscan.report_sections import Version
from batchscan.util.paths import join_path

MAX_VERSIONS: Final = 100

COVERED_FILE: Final = (
    "v.realm_id = f.realm_id AND v.sha256 = f.sha256 AND v.picture_id = f.picture_id"
)
"""Joins a file of `files f` to what covers it in `covered v`."""

ASKED_PATH: Final = (
    "(SELECT c.path FROM answers a JOIN claims c ON c.scan_id = a.scan_id WHERE a.id = p.answer_id)"
)
"""The file that was sent for the newest answer about a picture of `pictures p`."""


def versions_of(
    connection: sqlite3.Connection, picture_id: int, *, previews: bool = False
) -> tuple[Version, ...]:
    """The covered versions of a picture, the largest first; at most a fixed number of them."""
    return tuple(_versions(connection, picture_id, previews=previews))


def _versions(
    connection: sqlite3.Connection, picture_id: int, *, previews: bool
) -> Iterator[Version]:
    rows = connection.execute(
        "SELECT d.path, f.name, v.sha256, v.by_sha256, v.width, v.height, v.distance, v.difference,"
        " v.rule, v.bytes, iif(?2 AND typeof(v.preview) = 'blob', v.preview, NULL)"
        f" FROM covered v JOIN files f ON {COVERED_FILE} JOIN folders d ON d.id = f.folder_id"
        " WHERE v.picture_id = ?1 ORDER BY v.width * v.height DESC, d.path, f.name LIMIT ?3",
        (picture_id, previews, MAX_VERSIONS),
    ).fetchall()
    for folder, name, sha256, by, *rest in rows:
        version = Version(join_path(folder, name), *rest)
        if version.rule == JOINED_RULE:
            version = _with_decision(connection, version, sha256, by)
        yield version


def _with_decision(
    connection: sqlite3.Connection, version: Version, sha256: bytes, other_sha256: bytes
) -> Version:
    """The same with who joined the two, and why."""
    row = connection.execute(
        "SELECT who, note FROM rendition_decisions WHERE word = 'join'"
        " AND sha256 IN (?1, ?2) AND other_sha256 IN (?1, ?2) ORDER BY id DESC LIMIT 1",
        (sha256, other_sha256),
    ).fetchone()
    return version if row is None else version._replace(who=row[0], note=row[1])
