"""Match summaries and report files of earlier runs, reused by runs with the same result.

A fingerprint covers everything that a summary depends on: the ledger's number of changes to
matches, answers and previews of matched pictures, which triggers count, and the rules, version and
pictures of the caller.
"""

from __future__ import annotations

import logging
import sqlite3
import zlib
from dataclasses import dataclass

import msgspec

from batchscan.report_sections import MatchSummary

KEPT = 8  # summaries: for this many sets of roots that are scanned in turn
_PACKING = 1
_MAX_CHANGES = 2**53 - 1
log = logging.getLogger(__name__)


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
        if writable and self.changes() is None:
            self._start_again()

    def changes(self) -> int | None:
        """The number of changes to what reports are made from; None if it is damaged."""
        rows = self._connection.execute(
            "SELECT typeof(number) = 'integer' AND number BETWEEN 0 AND ?, number FROM changes",
            (_MAX_CHANGES,),
        ).fetchall()
        return rows[0][1] if len(rows) == 1 and rows[0][0] else None

    def summary(self, fingerprint: bytes) -> MatchSummary | None:
        """The summary with this fingerprint; None without one."""
        row = self._connection.execute(
            "SELECT digest FROM digests WHERE fingerprint = ?", (fingerprint,)
        ).fetchone()
        if row is None:
            return None
        try:
            return msgspec.json.decode(zlib.decompress(row[0]), type=MatchSummary)
        except (zlib.error, msgspec.MsgspecError, TypeError):  # damaged: it is made again
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

    def _start_again(self) -> None:
        """Count changes from 0, without anything that was kept under another number."""
        for table in ("digests", "cached_files", "changes"):
            self._connection.execute(f"DELETE FROM {table}")
        self._connection.execute("INSERT INTO changes VALUES (0)")
        log.warning("the ledger's count of changes was damaged; all reports are made again")

    def file(self, fingerprint: bytes, name: str, facts: bytes) -> CachedFile | None:
        """The file of this name that was made from the same summary; None without one.

        Args:
            fingerprint: of the summary.
            name: of the file in its run's folder.
            facts: a hash of everything else in the file.
        """
        row = self._connection.execute(
            "SELECT run_id, path, identity FROM cached_files"
            " WHERE fingerprint = ? AND name = ? AND facts = ? AND typeof(run_id) = 'text'"
            " AND typeof(path) = 'blob' AND typeof(identity) = 'text'",  # else damaged
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
