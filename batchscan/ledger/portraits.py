"""What matched pictures look like and say of themselves, kept for the reports."""

from __future__ import annotations

import sqlite3


class Portraits:
    """The table of portraits."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def put(self, picture_id: int, thumbnail: bytes | None, provenance: bytes) -> None:
        """Keep a picture's portrait: a small JPEG file, and JSON."""
        self._connection.execute(
            "INSERT OR REPLACE INTO portraits VALUES (?, ?, ?)", (picture_id, thumbnail, provenance)
        )
