"""Digests and report files of earlier runs, for runs in which they would be the same.

A fingerprint covers everything that a digest is made from. `changes` in the ledger counts up
in the transaction of any change to matches, answers or portraits of matched pictures (triggers do
it, so that no writer can forget to), the rest is what the caller knows: rules, version, pictures.
"""

from __future__ import annotations

import sqlite3
import zlib
from dataclasses import dataclass

import msgspec

from batchscan.report_sections import MatchSummary

KEPT = 8  # digests: of so many sets of roots that are scanned in turn
_PACKING = 1


@dataclass(frozen=True, slots=True)
class CachedFile:
    """A file in a run's folder, and what shows that it is still the one that was written."""

    run_id: str  # for which it was made
    path: bytes  # where it is now
    identity: str  # of the file, as the file system has it


class ReportCache:
    """The tables of digests and of the files made from them."""

    def __init__(self, connection: sqlite3.Connection, *, writable: bool) -> None:
        self._connection = connection
        self._writable = writable

    def changes(self) -> int:
        """How often something has changed that reports are made from."""
        row = self._connection.execute("SELECT number FROM changes").fetchone()
        return int(row[0])

    def digest(self, fingerprint: bytes) -> MatchSummary | None:
        """The digest of this fingerprint; None where none is kept."""
        row = self._connection.execute(
            "SELECT digest FROM digests WHERE fingerprint = ?", (fingerprint,)
        ).fetchone()
        if row is None:
            return None
        try:
            return msgspec.json.decode(zlib.decompress(row[0]), type=MatchSummary)
        except (zlib.error, msgspec.MsgspecError):  # it is only ever a shortcut
            return None

    def keep(self, fingerprint: bytes, digest: MatchSummary) -> None:
        """Keep a digest, where that can be; the oldest ones go, with what is known of their files."""
        if not self._writable:
            return
        self._connection.execute(
            "INSERT OR REPLACE INTO digests (fingerprint, digest) VALUES (?, ?)",
            (fingerprint, zlib.compress(msgspec.json.encode(digest), _PACKING)),
        )
        self._connection.execute(
            "DELETE FROM digests WHERE id <= (SELECT max(id) FROM digests) - ?", (KEPT,)
        )
        self._connection.execute(
            "DELETE FROM cached_files WHERE fingerprint NOT IN (SELECT fingerprint FROM digests)"
        )

    def file(self, fingerprint: bytes, name: str, facts: bytes) -> CachedFile | None:
        """The file of this name that was made from the same; None where none is known.

        Args:
            fingerprint: of the digest.
            name: of the file in its run's folder.
            facts: a digest of what else the file says.
        """
        row = self._connection.execute(
            "SELECT run_id, path, identity FROM cached_files"
            " WHERE fingerprint = ? AND name = ? AND facts = ?",
            (fingerprint, name, facts),
        ).fetchone()
        return None if row is None else CachedFile(*row)

    def keep_file(self, fingerprint: bytes, name: str, facts: bytes, file: CachedFile) -> None:
        """Remember where the newest file of this name is that was made from a digest."""
        if not self._writable:
            return
        self._connection.execute(
            "INSERT OR REPLACE INTO cached_files VALUES (?, ?, ?, ?, ?, ?)",
            (fingerprint, name, facts, file.run_id, file.path, file.identity),
        )
