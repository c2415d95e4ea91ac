"""Runs, and their lines until their files are complete: killed runs are recovered from them."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

import msgspec

from batchscan.enums import ExitReason, Status


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run, with its report if it was closed."""

    run_id: str
    folder: str
    started_at: float
    facts: bytes  # the checkpoint, as JSON
    report: bytes | None
    matched: bytes | None = None  # the pictures with matches that it saw, packed (`ReportView`)


# Runs with a meaningful report: they reached the end of what they could see, or got an answer
# before they were stopped.
# The same as `report.run_folder.is_meaningful`; a damaged report counts as meaningful.
_SPEAKS = (
    "CASE WHEN json_valid(CAST(report AS TEXT)) THEN"
    " json_extract(CAST(report AS TEXT), '$.run.exit_reason') IN ('ok', 'matches')"
    " OR (json_extract(CAST(report AS TEXT), '$.run.exit_reason') = 'partial'"
    " AND json_extract(CAST(report AS TEXT), '$.files.seen') > 0)"
    " OR json_extract(CAST(report AS TEXT), '$.files.scanned') > 0"
    " OR json_extract(CAST(report AS TEXT), '$.files.reused') > 0"
    " OR json_extract(CAST(report AS TEXT), '$.files.covered') > 0"
    " OR (json_extract(CAST(report AS TEXT), '$.run.exit_reason') = 'limit'"
    " AND json_extract(CAST(report AS TEXT), '$.files.unchanged') > 0)"
    " ELSE 1 END"
)


@dataclass(frozen=True, slots=True)
class StoredLine:
    """A line of results.jsonl without matches, which are in the answer."""

    line: bytes
    answer_id: int | None


class Runs:
    """The tables of runs and outcomes."""

    def __init__(self, connection: sqlite3.Connection, realm_id: int) -> None:
        self._connection = connection
        self._realm_id = realm_id

    def ids_like(self, name: str, since: float = 0.0) -> set[str]:
        """The ids of runs with that name and any suffix, including deleted ones.

        Args:
            name: the name of a run that starts at `since`.
            since: deleted runs are found by answers received since then, seconds since 1970.
        """
        same = "(run_id = :name OR run_id GLOB :name || '-*')"
        rows = self._connection.execute(
            f"SELECT run_id FROM runs WHERE {same} UNION SELECT run_id FROM doubts WHERE {same}"
            f" UNION SELECT run_id FROM cached_files WHERE {same}"
            " UNION SELECT run_id FROM answers INDEXED BY answers_by_time"
            f" WHERE received_at >= :since AND {same}",
            {"name": name, "since": since},
        )
        return {row[0] for row in rows}

    def folder_of(self, run_id: str) -> str | None:
        """The folder that a run writes to; None for an unknown one."""
        row = self._connection.execute(
            "SELECT folder FROM runs WHERE run_id = ?", (run_id,)
        ).fetchone()
        return None if row is None else os.fsdecode(row[0])

    def begin(self, run_id: str, folder: str, started_at: float, facts: bytes = b"{}") -> None:
        """Enter a run, before it does anything else."""
        self._connection.execute(
            "INSERT INTO runs VALUES (?, ?, ?, ?, 0, ?, NULL, NULL)",
            (run_id, self._realm_id, os.fsencode(folder), started_at, facts),
        )

    def save_checkpoint(self, run_id: str, facts: bytes) -> None:
        """Store the checkpoint of an open run."""
        self._connection.execute("UPDATE runs SET facts = ? WHERE run_id = ?", (facts, run_id))

    def add_outcome(self, run_id: str, line: bytes, answer_id: int | None = None) -> int:
        """Store a file's line in the transaction that decides it; returns the line's number.

        If the lock of a run was removed, another run may have closed it as killed while it still
        settles. Its late answers go to an additional run, which the next scan closes as killed.
        """
        return self._enter(run_id, line, answer_id) or self._decided_late(run_id, line, answer_id)

    def _enter(self, run_id: str, line: bytes, answer_id: int | None) -> int | None:
        """Enter a line; returns its number, None if the run is closed."""
        cursor = self._connection.execute(
            "INSERT INTO outcomes (run_id, answer_id, line) SELECT ?1, ?2, ?3"
            " WHERE NOT EXISTS (SELECT 1 FROM runs WHERE run_id = ?1 AND closed)",
            (run_id, answer_id, line),
        )
        return cursor.lastrowid if cursor.rowcount else None

    def _decided_late(self, run_id: str, line: bytes, answer_id: int | None) -> int:
        """Enter an answer that came after the run was closed; other lines are dropped."""
        if answer_id is None or msgspec.json.decode(line)["status"] != Status.SCANNED:
            return 0
        late, number = f"{run_id}-late", 1
        while self.closed(late) is not None:
            number += 1
            late = f"{run_id}-late-{number}"
        self._connection.execute(
            "INSERT OR IGNORE INTO runs (run_id, realm_id, folder, started_at, closed, facts)"
            " SELECT ?1, realm_id, CAST(folder || substr(?1, length(run_id) + 1) AS BLOB),"
            " started_at, 0, CAST(json_object('roots', json_extract(CAST(facts AS TEXT), '$.roots'))"
            " AS BLOB) FROM runs WHERE run_id = ?2",
            (late, run_id),
        )
        return self._enter(late, line, answer_id) or 0

    def decided_otherwise(self, number: int, line: bytes) -> None:
        """Replace a line, as the stored answer was parsed since."""
        self._connection.execute("UPDATE outcomes SET line = ? WHERE id = ?", (line, number))

    def has_lines(self, run_id: str) -> bool:
        """Whether a run's lines are still stored; of closed runs, only the last one's are."""
        row = self._connection.execute(
            "SELECT EXISTS (SELECT 1 FROM outcomes WHERE run_id = ?)", (run_id,)
        ).fetchone()
        return bool(row[0])

    def lines(self, run_id: str, after: int, limit: int) -> list[tuple[int, StoredLine]]:
        """Up to `limit` lines of a run with their numbers, in the order of decisions."""
        rows = self._connection.execute(
            "SELECT id, line, answer_id FROM outcomes WHERE run_id = ? AND id > ?"
            " ORDER BY id LIMIT ?",
            (run_id, after, limit),
        )
        return [(row[0], StoredLine(row[1], row[2])) for row in rows]

    def close(self, run_id: str, report: bytes, matched: bytes | None = None) -> None:
        """Close a run whose files are complete, and delete the lines of earlier closed runs.

        The column `closed` is a counter: a clock may step, and would not give the order.
        """
        self._connection.execute(
            "UPDATE runs SET report = ?, matched = ?, closed = (SELECT max(closed) + 1 FROM runs)"
            " WHERE run_id = ?",
            (report, matched, run_id),
        )
        self._connection.execute(
            "DELETE FROM outcomes WHERE run_id IN"
            " (SELECT run_id FROM runs WHERE closed AND run_id <> ?)",
            (run_id,),
        )

    def update_report(self, run_id: str, report: bytes) -> None:
        """Replace the report of a closed run."""
        self._connection.execute(
            "UPDATE runs SET report = ? WHERE run_id = ? AND closed", (report, run_id)
        )

    def unclosed(self) -> list[StoredRun]:
        """The killed runs of this realm, oldest first."""
        return list(self._runs("NOT closed AND realm_id = ? ORDER BY rowid", self._realm_id))

    def last(self) -> StoredRun | None:
        """The last closed run with a meaningful report, of any realm, else the last closed one."""
        newest = f"closed ORDER BY {_SPEAKS} DESC, closed DESC, rowid DESC LIMIT ?"
        return next(self._runs(newest, 1), None)

    def last_of_realm(self) -> StoredRun | None:
        """The same in this realm."""
        newest = f"closed AND realm_id = ? ORDER BY {_SPEAKS} DESC, closed DESC, rowid DESC"
        return next(self._runs(newest, self._realm_id), None)

    def closed(self, run_id: str) -> StoredRun | None:
        """A closed run of any realm; None without one."""
        return next(self._runs("closed AND run_id = ?", run_id), None)

    def first_start(self) -> float:
        """The start of the first run of this realm, seconds since 1970; 0 without one."""
        row = self._connection.execute(
            "SELECT min(started_at) FROM runs WHERE realm_id = ?", (self._realm_id,)
        ).fetchone()
        return float(row[0] or 0.0)

    def of_realm(self, limit: int) -> list[StoredRun]:
        """Up to `limit` closed runs of this realm, the newest first."""
        condition = "closed AND realm_id = ? ORDER BY closed DESC, rowid DESC"
        return list(islice(self._runs(condition, self._realm_id), limit))

    def unreported(self, roots: Sequence[str]) -> list[str]:
        """Killed runs over these roots that no complete run over them has followed since."""
        rows = self._connection.execute(
            "SELECT run_id, coalesce(json_extract(CAST(facts AS TEXT), '$.roots'), '[]'),"
            " json_extract(CAST(report AS TEXT), '$.run.exit_reason') FROM runs"
            " WHERE closed AND realm_id = ? AND json_valid(CAST(facts AS TEXT))"
            " AND json_valid(CAST(report AS TEXT))"  # damaged reports must not stop other scans
            " ORDER BY closed DESC, rowid DESC",
            (self._realm_id,),
        )
        over_these = ((run_id, why) for run_id, recorded, why in rows if _same(recorded, roots))
        killed = takewhile(lambda run: run[1] == ExitReason.KILLED, over_these)
        return [run_id for run_id, _ in killed]

    def newest(self, limit: int) -> list[str]:
        """The ids of some closed runs, the newest first."""
        rows = self._connection.execute(
            "SELECT run_id FROM runs WHERE closed ORDER BY closed DESC, rowid DESC LIMIT ?",
            (limit,),
        )
        return [row[0] for row in rows]

    def all_closed(self) -> list[tuple[str, str]]:
        """The closed runs, of any realm, with their folders; the newest first."""
        rows = self._connection.execute(
            "SELECT run_id, folder FROM runs WHERE closed ORDER BY closed DESC, rowid DESC"
        )
        return [(run_id, os.fsdecode(folder)) for run_id, folder in rows]

    def delete(self, run_ids: Iterable[str]) -> None:
        """Delete closed runs and their reports; their answers stay."""
        self._connection.executemany(
            "DELETE FROM runs WHERE closed AND run_id = ?", ((run_id,) for run_id in run_ids)
        )

    def _runs(self, condition: str, value: int | str) -> Iterator[StoredRun]:
        rows = self._connection.execute(
            "SELECT run_id, folder, started_at, facts, report, matched FROM runs"
            f" WHERE {condition}",
            (value,),
        )
        for run_id, folder, *rest in rows:
            yield StoredRun(run_id, os.fsdecode(folder), *rest)


def _same(recorded: str, roots: Sequence[str]) -> bool:
    return tuple(msgspec.json.decode(recorded)) == tuple(roots)
