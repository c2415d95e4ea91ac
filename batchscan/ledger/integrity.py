"""Checking a ledger's content: references, columns, payments, and answers against their matches."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import msgspec

from batchscan.copyleaks.responses import read_check
from batchscan.ledger.block_cache import MatchedFiles, Rejected, fingerprint, sealed
from batchscan.ledger.columns import COLUMN_QUERY, MAX_COUNT, PACKED_QUERY, PAYMENT_QUERY
from batchscan.ledger.freshness import rejected_under
from batchscan.util.urls import normalize_url

MAX_NAMED = 5
# Exceptions that reading damaged rows may raise.
ODD = (sqlite3.Error, msgspec.MsgspecError, ValueError, TypeError, LookupError, AttributeError)
_SEALS = (
    "SELECT s.realm_id, s.folder_id, s.first_name, s.fingerprint, s.rules, s.oldest, s.matched, s.rejected,"
    " (SELECT min(n.first_name) FROM seals n WHERE n.realm_id = s.realm_id"
    " AND n.folder_id = s.folder_id AND n.first_name > s.first_name) FROM seals s"
)
_FILES = (
    "SELECT f.name, f.size, f.mtime_ns, f.ctime_ns, f.rules, f.picture_id, a.received_at,"
    " EXISTS (SELECT 1 FROM sightings m WHERE m.picture_id = f.picture_id),"
    " CASE WHEN f.rules IS NOT NULL THEN json_extract(CAST(f.line AS TEXT), '$.reason') END"
    " FROM files f LEFT JOIN pictures p ON p.id = f.picture_id"
    " LEFT JOIN answers a ON a.id = p.answer_id"
    " WHERE f.realm_id = ? AND f.folder_id = ? AND f.name >= ? AND (? IS NULL OR f.name < ?)"
    " ORDER BY f.name"
)


def _unpacks(packed: object) -> bool:
    try:
        zlib.decompress(packed)  # type: ignore[arg-type]
    except (zlib.error, TypeError):
        return False
    return True


@dataclass(slots=True)
class IntegrityResult:
    """How many items were checked, and the faults found."""

    number: int = 0
    skipped: int = 0  # that cannot be verified
    faults: list[str] = field(default_factory=list)  # the first ones
    wrong: int = 0

    def blame(self, fault: str) -> None:
        """Count a fault, and keep the first ones."""
        self.wrong += 1
        if len(self.faults) < MAX_NAMED:
            self.faults.append(fault)


@dataclass(frozen=True, slots=True)
class LastRun:
    """The ledger's records of a run, to compare with its report."""

    run_id: str
    report: bytes
    charged: int  # credits of its answers
    lines: dict[str, int]  # by status


class IntegrityChecker:
    """Checks a ledger of this version."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def references(self) -> IntegrityResult:
        """Whether all foreign keys are valid."""
        result = IntegrityResult()
        for table, _, parent, _ in self._connection.execute("PRAGMA foreign_key_check"):
            result.blame(f"a row of {table} refers to a missing row of {parent}")
        return result

    def columns(self) -> IntegrityResult:
        """Whether every column has valid values: types, JSON, enumerations, compressed data."""
        result = IntegrityResult()
        wrong = dict(self._connection.execute(COLUMN_QUERY).fetchall())
        # Not by a function within SQL: an interrupt in one looks like damage.
        for column, packed in self._connection.execute(PACKED_QUERY):
            if not _unpacks(packed):
                fault = f"nothing packed in {column}"
                wrong[fault] = wrong.get(fault, 0) + 1
        for what, rows in wrong.items():
            if rows:
                result.blame(f"{what} of {rows:,} row{'' if rows == 1 else 's'}")
        return result

    def payments(self) -> IntegrityResult:
        """Whether claims and answers agree."""
        result = IntegrityResult()
        for (fault,) in self._connection.execute(PAYMENT_QUERY, {"most": MAX_COUNT}):
            result.blame(fault)
        return result

    def answers(self) -> IntegrityResult:
        """Whether each answer can be read, and its matches are in the history."""
        result = IntegrityResult()
        rows = self._connection.execute(
            "SELECT a.id, a.body, a.id = p.answer_id, a.reader IS NULL, a.trouble FROM answers a"
            " JOIN pictures p ON p.id = a.picture_id ORDER BY a.id"
        )
        for number, body, newest, unread, trouble in rows:
            result.number += 1
            fully_entered = not unread and trouble is None
            fault = self._fault_of(number, body, newest=bool(newest), fully_entered=fully_entered)
            if fault:
                result.blame(f"answer {number} {fault}")
        return result

    def seals(self) -> IntegrityResult:
        """Whether cached blocks agree with the rows of their files."""
        result = IntegrityResult()
        for row in self._connection.execute(_SEALS).fetchall():
            result.number += 1
            self._check_block(result, *row)
        return result

    def last_run(self) -> LastRun | None:
        """The last closed run; None without one."""
        row = self._connection.execute(
            "SELECT run_id, report FROM runs WHERE closed ORDER BY closed DESC, rowid DESC LIMIT 1"
        ).fetchone()
        if row is None:
            return None
        charged = self._connection.execute(
            "SELECT CAST(total(credits) AS INTEGER) FROM answers WHERE run_id = ?", (row[0],)
        ).fetchone()[0]
        lines = self._connection.execute(
            "SELECT json_extract(CAST(line AS TEXT), '$.status'), count(*) FROM outcomes"
            " WHERE run_id = ? GROUP BY 1",
            (row[0],),
        ).fetchall()
        return LastRun(row[0], row[1], charged, dict(lines))

    def _fault_of(
        self, number: int, body: bytes, *, newest: bool, fully_entered: bool
    ) -> str | None:
        try:
            parsed = read_check(zlib.decompress(body), None)
        except zlib.error:
            return "is damaged"
        if not fully_entered:  # entered in part only
            return None
        if parsed.trouble is not None:
            return "cannot be read"
        shown = {normalize_url(match.url) for match in parsed.internet}
        rows = self._connection.execute(
            "SELECT m.key FROM sightings m JOIN answers a ON a.picture_id = m.picture_id"
            " WHERE a.id = ? AND m.answer_id = a.id",
            (number,),
        )
        entered = {row[0] for row in rows}
        agrees = entered == shown if newest else entered <= shown
        return None if agrees else "does not agree with the matches that were recorded from it"

    def _check_block(self, result: IntegrityResult, *seal: Any) -> None:  # noqa: ANN401 - a row
        realm_id, folder_id, first, stored, rules, oldest, matched, rejected, end = seal
        rows = self._connection.execute(_FILES, (realm_id, folder_id, first, end, end)).fetchall()
        try:
            entries = [(row[0].decode(), *row[1:4]) for row in rows]
        except UnicodeDecodeError:
            entries = []
        block = fingerprint(entries) if entries else None
        # Older versions stored the block's own fingerprint
        if block is None or stored not in (block, sealed(block, oldest, matched, rejected)):
            result.skipped += 1  # files were added or removed since, or no scan will use it
            return
        for row in rows:
            holds = rejected_under(rules, row[4]) if row[5] is None else row[6] is not None
            if not holds:
                result.blame(
                    f"the cached summary of folder {folder_id} counts a file that has no answer"
                )
                return
        times = [row[6] for row in rows if row[6] is not None]
        with_matches = [(row[5], row[0]) for row in rows if row[7] and row[5]]
        counted = msgspec.msgpack.decode(matched, type=MatchedFiles)
        if sorted(counted, key=itemgetter(1)) != with_matches or oldest != min(times, default=None):
            result.blame(f"the cached summary of folder {folder_id} has other matches or answers")
        elif msgspec.msgpack.decode(rejected, type=Rejected) != _by_reason(rows):
            result.blame(f"the cached summary of folder {folder_id} has other rejected files")


def _by_reason(rows: Sequence[Any]) -> Rejected:
    counts: Rejected = {}
    for name, *_, reason in rows:
        if reason is not None:
            counts.setdefault(reason, []).append(name)
    return counts
