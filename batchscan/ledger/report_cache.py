"""Match summaries and report files of earlier runs, reused by runs with the same result.

A fingerprint covers everything that a summary depends on: the ledger's number of changes to
matches, answers and previews of matched pictures, which triggers count, and the rules, version and
pictures of the caller.
"""

from __future__ import annotations

import sqlite3
import zlib
from dataclasses import dataclass

import msgspec

from batchscan.report_sections import MatchSummary

KEPT = 8  # summaries: for this many sets of roots that are scanned in turn
_PACKING = 1


@dataclass(frozen=True, slots=True)
class CachedFile:
    """A file in a run's folder, and how to recognize it."""

    run_id: str  # the run that made it
    path: bytes
    identity: str  # by `util.atomic_file.identity`


class ReportCache:
    """The tables of summaries (`digests`) and of the files made from them."""

    def __init__(self, connection: sqlite3.Connection, *, writable: bool) -> None:
        self._connection = connection
        self._writable = writable

    def changes(self) -> int:
        """The number of changes to what reports are made from."""
        row = self._connection.execute("SELECT number FROM changes").fetchone()
        return int(row[0])

    def summary(self, fingerprint: bytes) -> MatchSummary | None:
        """The summary with this fingerprint; None without one."""
        row = self._connection.execute(
            "SELECT digest FROM digests WHERE fingerprint = ?", (fingerprint,)
        ).fetchone()
        if row is None:
            return None
        try:
            return msgspec.json.decode(zlib.decompress(row[0]), type=MatchSummary)
        except (zlib.error, msgspec.MsgspecError):  # damaged: it is made again
            return None

    def keep(self, fingerprint: bytes, summary: MatchSummary) -> None:
        """Store a summary if the ledger is writable; drops the oldest ones and their files."""
        if not self._writable:
            return
        self._connection.execute(
            "INSERT OR REPLACE INTO digests (fingerprint, digest) VALUES (?, ?)",
            (fingerprint, zlib.compress(msgspec.json.encode(summary), _PACKING)),
        )
        self._connection.execute(
            "DELETE FROM digests WHERE id <= (SELECT max(id) FROM digests) - ?", (KEPT,)
        )
        self._connection.execute(
            "DELETE FROM cached_files WHERE fingerprint NOT IN (SELECT fingerprint FROM digests)"
        )

    def file(self, fingerprint: bytes, name: str, facts: bytes) -> CachedFile | None:
        """The file of this name that was made from the same summary; None without one.

        Args:
            fingerprint: of the summary.
            name: of the file in its run's folder.
            facts: a hash of everything else in the file.
        """
        row = self._connection.execute(
            "SELECT run_id, path, identity FROM cached_files"
            " WHERE fingerprint = ? AND name = ? AND facts = ?",
            (fingerprint, name, facts),
        ).fetchone()
        return None if row is None else CachedFile(*row)

    def keep_file(self, fingerprint: bytes, name: str, facts: bytes, file: CachedFile) -> None:
        """Store the newest file of this name that was made from a summary."""
        if not self._writable:
            return
        self._connection.execute(
            "INSERT OR REPLACE INTO cached_files VALUES (?, ?, ?, ?, ?, ?)",
            (fingerprint, name, facts, file.run_id, file.path, file.identity),
        )
