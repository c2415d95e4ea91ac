"""Whether a ledger says what it should: answers that can be read, and what was made of them."""

from __future__ import annotations

import sqlite3
import zlib
from dataclasses import dataclass, field
from typing import Any

import msgspec

from batchscan.copyleaks.answers import read_check
from batchscan.ledger.seals import Matched, fingerprint
from batchscan.names import Disposition, MatchEvent, MatchKind
from batchscan.urls import normalised

MOST_NAMED = 5
# What looking at damaged rows may raise
ODD = (sqlite3.Error, msgspec.MsgspecError, ValueError, TypeError, LookupError, AttributeError)
_SEALS = (
    "SELECT s.realm_id, s.folder_id, s.first_name, s.fingerprint, s.rules, s.oldest, s.matched,"
    " (SELECT min(n.first_name) FROM seals n WHERE n.realm_id = s.realm_id"
    " AND n.folder_id = s.folder_id AND n.first_name > s.first_name) FROM seals s"
)
_FILES = (
    "SELECT f.name, f.size, f.mtime_ns, f.ctime_ns, f.rules, f.picture_id, a.received_at,"
    " EXISTS (SELECT 1 FROM sightings m WHERE m.picture_id = f.picture_id)"
    " FROM files f LEFT JOIN pictures p ON p.id = f.picture_id"
    " LEFT JOIN answers a ON a.id = p.answer_id"
    " WHERE f.realm_id = ? AND f.folder_id = ? AND f.name >= ? AND (? IS NULL OR f.name < ?)"
    " ORDER BY f.name"
)

_TYPES = {
    "INTEGER": ("integer",),
    "REAL": ("real", "integer"),
    "TEXT": ("text",),
    "BLOB": ("blob",),
}
_JSON = (
    ("runs", "facts"),
    ("runs", "report"),
    ("outcomes", "line"),
    ("files", "line"),
    ("pictures", "refusal"),
    ("sightings", "pages"),
    ("portraits", "provenance"),
)
_WORDS = (
    ("sightings", "kind", MatchKind),
    ("sightings", "disposition", Disposition),
    ("events", "event", MatchEvent),
    ("decisions", "disposition", Disposition),
    ("decided", "before", Disposition),
    ("decided", "after", Disposition),
)
_PACKED = (("runs", "matched"), ("unread_bodies", "body"))
_PAYMENTS = (
    (
        "no answer is there of the claim",
        (
            "SELECT scan_id FROM claims c WHERE state = 'answered' AND NOT EXISTS (SELECT 1"
            " FROM answers a WHERE a.picture_id = c.picture_id AND a.scan_id = c.scan_id) LIMIT 50"
        ),
    ),
    (
        "no claim is there of answer",
        (
            "SELECT id FROM answers a WHERE NOT EXISTS (SELECT 1 FROM claims c"
            " WHERE c.scan_id = a.scan_id AND c.picture_id = a.picture_id) LIMIT 50"
        ),
    ),
    (
        "nobody knows the state of the claim",
        (
            "SELECT scan_id FROM claims WHERE state NOT IN ('open', 'answered', 'refused', 'lost')"
            " LIMIT 50"
        ),
    ),
    (
        "no claim is there of picture",
        (
            "SELECT id FROM pictures p WHERE NOT EXISTS (SELECT 1 FROM claims c"
            " WHERE c.picture_id = p.id) LIMIT 50"
        ),
    ),
)


def _unpacks(packed: object) -> bool:
    try:
        zlib.decompress(packed)  # type: ignore[arg-type]
    except (zlib.error, TypeError):
        return False
    return True


@dataclass(slots=True)
class Looked:
    """How much was looked at, and what was wrong."""

    number: int = 0
    other: int = 0  # that cannot be held against anything
    faults: list[str] = field(default_factory=list)  # some of them
    wrong: int = 0

    def blame(self, fault: str) -> None:
        """Count a fault, and keep some."""
        self.wrong += 1
        if len(self.faults) < MOST_NAMED:
            self.faults.append(fault)


@dataclass(frozen=True, slots=True)
class LastRun:
    """What is kept of a run, to be held against its report."""

    run_id: str
    report: bytes
    charged: int  # credits of its answers
    lines: dict[str, int]  # by status


class Soundness:
    """Looks at a ledger of this version."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def references(self) -> Looked:
        """Whether everything that a row points to is there."""
        looked = Looked()
        for table, _, other, _ in self._connection.execute("PRAGMA foreign_key_check"):
            looked.blame(f"a row of {table} points to none of {other}")
        return looked

    def columns(self) -> Looked:
        """Whether every column holds what belongs there: a type, JSON, something packed."""
        looked = Looked()
        tables = self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (table,) in tables.fetchall():
            looked.number += 1
            for _, name, kind, needed, _, key in self._connection.execute(
                f"PRAGMA table_info({table})"
            ).fetchall():
                self._look_at_column(looked, table, name, kind, needed=bool(needed or key))
        for table, name in _JSON:
            self._count(looked, table, name, f"NOT json_valid(CAST({name} AS TEXT))", "no JSON")
        for table, name, words in _WORDS:
            known = ", ".join(f"'{word.value}'" for word in words)
            self._count(looked, table, name, f"{name} NOT IN ({known})", "an unknown word")
        for table, name in _PACKED:
            self._connection.create_function("unpacks", 1, _unpacks, deterministic=True)
            self._count(looked, table, name, f"NOT unpacks({name})", "nothing that can be unpacked")
        return looked

    def _look_at_column(
        self, looked: Looked, table: str, name: str, kind: str, *, needed: bool
    ) -> None:
        allowed = _TYPES.get(kind)
        if allowed is None:
            return
        types = ", ".join(f"'{each}'" for each in (*allowed, *(() if needed else ("null",))))
        self._count(looked, table, name, f"typeof({name}) NOT IN ({types})", f"no {kind}")

    def _count(self, looked: Looked, table: str, name: str, wrong: str, what: str) -> None:
        query = f"SELECT count(*) FROM {table} NOT INDEXED WHERE {name} NOT NULL AND {wrong}"
        (number,) = self._connection.execute(query).fetchone()
        if number:
            looked.blame(f"{what} in {table}.{name} of {number:,} row{'' if number == 1 else 's'}")

    def payments(self) -> Looked:
        """Whether claims and answers agree on what was paid for."""
        looked = Looked()
        for what, query in _PAYMENTS:
            rows = self._connection.execute(query).fetchall()
            for row in rows[:MOST_NAMED]:
                looked.blame(f"{what} {row[0]}")
            looked.wrong += max(0, len(rows) - MOST_NAMED)
        return looked

    def answers(self) -> Looked:
        """Whether each answer can be read, and its matches are known as it shows them."""
        looked = Looked()
        rows = self._connection.execute(
            "SELECT a.id, a.body, a.id = p.answer_id, a.reader IS NULL, a.trouble FROM answers a"
            " JOIN pictures p ON p.id = a.picture_id ORDER BY a.id"
        )
        for number, body, newest, unread, trouble in rows:
            looked.number += 1
            known = not unread and trouble is None
            fault = self._fault_of(number, body, newest=bool(newest), known=known)
            if fault:
                looked.blame(f"answer {number} {fault}")
        return looked

    def seals(self) -> Looked:
        """Whether what seals say is what the files' rows say."""
        looked = Looked()
        for row in self._connection.execute(_SEALS).fetchall():
            looked.number += 1
            self._look_at_seal(looked, *row)
        return looked

    def last_run(self) -> LastRun | None:
        """The last run that ended; None before the first has."""
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

    def _fault_of(self, number: int, body: bytes, *, newest: bool, known: bool) -> str | None:
        try:
            said = read_check(zlib.decompress(body), None)
        except zlib.error:
            return "is damaged"
        if not known:  # or not all that it shows is
            return None
        if said.trouble is not None:
            return "cannot be read"
        shown = {normalised(match.url) for match in said.internet}
        rows = self._connection.execute(
            "SELECT m.key FROM sightings m JOIN answers a ON a.picture_id = m.picture_id"
            " WHERE a.id = ? AND m.answer_id = a.id",
            (number,),
        )
        entered = {row[0] for row in rows}
        agrees = entered == shown if newest else entered <= shown
        return None if agrees else "shows other matches than are known of it"

    def _look_at_seal(self, looked: Looked, *seal: Any) -> None:  # noqa: ANN401 - a row
        realm_id, folder_id, first, found, rules, oldest, matched, end = seal
        rows = self._connection.execute(_FILES, (realm_id, folder_id, first, end, end)).fetchall()
        try:
            entries = [(row[0].decode(), *row[1:4]) for row in rows]
        except UnicodeDecodeError:
            entries = []
        if not entries or fingerprint(entries) != found:
            looked.other += 1  # files have gone since, or come: it may hold on the disk
            return
        for row in rows:
            stands = row[4] == rules if row[5] is None else row[6] is not None
            if not stands:
                looked.blame(f"a seal of folder {folder_id} says that a file has a verdict")
                return
        times = [row[6] for row in rows if row[6] is not None]
        with_matches = [(row[5], row[0]) for row in rows if row[7] and row[5]]
        told = msgspec.msgpack.decode(matched, type=Matched)
        if told != with_matches or oldest != min(times, default=None):
            looked.blame(f"a seal of folder {folder_id} tells of other matches or answers")
