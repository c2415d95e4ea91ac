"""The valid values of each column of the ledger, and queries that find invalid ones."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from batchscan.enums import (
    CaptureKind,
    Disposition,
    MatchEvent,
    MatchKind,
    RecheckKind,
    RecheckVerdict,
)
from batchscan.util.timestamps import MAX_TIME

MAX_COUNT = 50  # rows that are listed for each kind of fault
COLUMNS = {
    "realms": {
        "INTEGER": "id sandbox",
        "TEXT": "api_url",
    },
    "pictures": {
        "INTEGER": "id realm_id bytes width height answer_id",
        "BLOB": "sha256 refusal",
        "TEXT": "format",
    },
    "answers": {
        "INTEGER": "id picture_id generation credits reader attempts",
        "TEXT": "scan_id run_id trouble",
        "TIME": "received_at",
        "BLOB": "body",
    },
    "claims": {
        "TEXT": "scan_id run_id state",
        "INTEGER": "picture_id generation under_way sends unanswered",
        "BLOB": "path sent sent_sha256",
        "TIME": "opened_at",
    },
    "unread_bodies": {
        "TEXT": "scan_id",
        "TIME": "received_at",
        "BLOB": "body",
    },
    "folders": {
        "INTEGER": "id mounted reported_missing",
        "BLOB": "path",
    },
    "files": {
        "INTEGER": "realm_id folder_id size mtime_ns ctime_ns picture_id",
        "BLOB": "name line sha256",
        "TEXT": "rules",
    },
    "equals": {
        "INTEGER": "realm_id picture_id bytes width height",
        "BLOB": "sha256 sent",
        "TEXT": "format",
    },
    "fingerprints": {
        "BLOB": "sha256 hash",
        "REAL": "detail",
        "INTEGER": "width height",
        "TEXT": "taken",
    },
    "covered": {
        "INTEGER": "realm_id picture_id distance difference bytes width height",
        "BLOB": "sha256 by_sha256 by_path preview",
        "TEXT": "rule format",
    },
    "rendition_decisions": {
        "INTEGER": "id",
        "TEXT": "word who note",
        "TIME": "at",
        "BLOB": "sha256 path other_sha256 other_path",
    },
    "runs": {
        "TEXT": "run_id",
        "INTEGER": "realm_id closed",
        "BLOB": "folder facts report matched",
        "TIME": "started_at",
    },
    "outcomes": {
        "INTEGER": "id answer_id",
        "TEXT": "run_id",
        "BLOB": "line",
    },
    "sends": {
        "TEXT": "api_url",
        "TIME": "at",
    },
    "pace": {
        "TEXT": "api_url",
        "REAL": "share wall",
        "TIME": "learned_at paused_until",
    },
    "seals": {
        "INTEGER": "realm_id folder_id",
        "BLOB": "first_name fingerprint matched rejected",
        "TEXT": "rules",
        "REAL": "oldest",
    },
    "doubts": {
        "TEXT": "run_id scan_id",
        "INTEGER": "sends",
        "TIME": "at",
    },
    "sightings": {
        "INTEGER": "picture_id answer_id returned",
        "TEXT": "key url kind domain arrived_in disposition",
        "BLOB": "pages",
        "TIME": "first_seen last_seen marked_at",
    },
    "portraits": {
        "INTEGER": "picture_id",
        "BLOB": "thumbnail provenance",
    },
    "events": {
        "INTEGER": "id realm_id picture_id first",
        "TEXT": "run_id key event",
    },
    "messages": {
        "TEXT": "id target run_id trouble",
        "BLOB": "body",
        "INTEGER": "matches attempts",
        "TIME": "made_at tried_at told_at",
    },
    "decisions": {
        "INTEGER": "id realm_id undoes complete",
        "TIME": "at",
        "TEXT": "who disposition about note",
    },
    "decided": {
        "INTEGER": "decision_id picture_id",
        "TEXT": "key before after",
    },
    "capture_files": {
        "INTEGER": "id picture_id bytes",
        "TEXT": "key name who timestamp_url",
        "BLOB": "sha256 timestamp",
        "TIME": "captured_at timestamped_at",
    },
    "captures": {
        "INTEGER": "id file_id http_status position bytes",
        "TEXT": "kind url trouble media_type",
        "BLOB": "sha256 preview fingerprint",
        "REAL": "likeness our_likeness",
    },
    "recheck_runs": {
        "INTEGER": "id realm_id",
        "TEXT": "choice",
        "TIME": "started_at ended_at",
    },
    "rechecks": {
        "INTEGER": "id run_id picture_id http_status names_picture",
        "TEXT": "key kind url verdict detail",
        "REAL": "likeness our_likeness",
        "TIME": "checked_at gone_since",
    },
    "their_pictures": {
        "INTEGER": "picture_id",
        "TEXT": "key",
        "TIME": "first_at seen_at",
        "BLOB": "sha256 fingerprint preview",
    },
    "changes": {
        "INTEGER": "number",
    },
    "arrivals": {
        "TEXT": "run_id",
    },
    "digests": {
        "INTEGER": "id",
        "BLOB": "fingerprint digest",
    },
    "cached_files": {
        "BLOB": "fingerprint facts path",
        "TEXT": "name run_id identity",
    },
    "identity": {
        "TEXT": "ledger_id",
        "INTEGER": "changes",
        "TIME": "accepted_until",
    },
}
_NUMBER: Final = "typeof({0}) IN ('real', 'integer')"
_VALID: Final = {
    "INTEGER": "typeof({0}) = 'integer'",
    "REAL": _NUMBER,
    "TIME": f"{_NUMBER} AND {{0}} BETWEEN 0 AND {MAX_TIME}",  # seconds since 1970
    "TEXT": "typeof({0}) = 'text'",
    "BLOB": "typeof({0}) = 'blob'",
}
_JSON: Final = (
    ("runs", "facts"),
    ("runs", "report"),
    ("outcomes", "line"),
    ("files", "line"),
    ("pictures", "refusal"),
    ("sightings", "pages"),
    ("portraits", "provenance"),
)
_PACKED: Final = (("runs", "matched"), ("unread_bodies", "body"))
_WORDS: Final = (
    ("sightings", "kind", MatchKind),
    ("sightings", "disposition", Disposition),
    ("events", "event", MatchEvent),
    ("decisions", "disposition", Disposition),
    ("decided", "before", Disposition),
    ("decided", "after", Disposition),
    ("captures", "kind", CaptureKind),
    ("rechecks", "kind", RecheckKind),
    ("rechecks", "verdict", RecheckVerdict),
)


def _wrong(table: str, name: str, condition: str, what: str) -> str:
    return (
        f"SELECT '{what} in {table}.{name}', count(*) FROM {table} NOT INDEXED"
        f" WHERE {name} NOT NULL AND {condition}"
    )


def _words(kind: type[StrEnum]) -> str:
    return ", ".join(f"'{word.value}'" for word in kind)


# The number of rows for each kind of fault.
COLUMN_QUERY: Final = " UNION ALL ".join(
    [
        _wrong(table, name, f"NOT ({_VALID[kind].format(name)})", f"no {kind}")
        for table, columns in COLUMNS.items()
        for kind, names in columns.items()
        for name in names.split()
    ]
    + [
        _wrong(table, name, f"NOT json_valid(CAST({name} AS TEXT))", "no JSON")
        for table, name in _JSON
    ]
    + [
        _wrong(table, name, f"{name} NOT IN ({_words(words)})", "an unknown word")
        for table, name, words in _WORDS
    ]
)
# Rows in which claims and answers contradict each other.
PAYMENT_QUERY: Final = """
    SELECT * FROM (SELECT 'no answer is there of the claim ' || scan_id FROM claims c
        WHERE state = 'answered' AND NOT EXISTS (SELECT 1 FROM answers a
        WHERE a.picture_id = c.picture_id AND a.scan_id = c.scan_id) LIMIT :most)
    UNION ALL SELECT * FROM (SELECT 'no claim is there of answer ' || id FROM answers a
        WHERE NOT EXISTS (SELECT 1 FROM claims c
        WHERE c.scan_id = a.scan_id AND c.picture_id = a.picture_id) LIMIT :most)
    UNION ALL SELECT * FROM (SELECT 'nobody knows the state of the claim ' || scan_id FROM claims
        WHERE state NOT IN ('open', 'answered', 'refused', 'lost') LIMIT :most)
    UNION ALL SELECT * FROM (SELECT 'no claim is there of picture ' || id FROM pictures p
        WHERE NOT EXISTS (SELECT 1 FROM claims c WHERE c.picture_id = p.id) LIMIT :most)
"""
# Packed values, each with the name of its column.
PACKED_QUERY: Final = " UNION ALL ".join(
    f"SELECT '{table}.{name}', {name} FROM {table} NOT INDEXED WHERE {name} NOT NULL"
    for table, name in _PACKED
)
