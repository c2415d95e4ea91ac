"""Migrating an older ledger to this version, in one transaction and with a copy of the old file."""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import msgspec

from batchscan.copyleaks.responses import FULL, PARTIAL, read_check
from batchscan.enums import MatchKind
from batchscan.errors import StorageError
from batchscan.ledger.backup import copy_into
from batchscan.ledger.match_rows import by_key
from batchscan.ledger.schema import MIGRATIONS, VERSION
from batchscan.model import Match
from batchscan.util.atomic_file import staged_path
from batchscan.util.urls import normalize_url, registrable_domain

_NAMED = re.compile(r"CREATE (?:UNIQUE )?(?:TABLE|INDEX|TRIGGER) \"?(\w+)")
_ADVICE = "free some space: before the ledger is brought up to date, it is copied beside itself"

_KINDS = {FULL: MatchKind.FULL, PARTIAL: MatchKind.PARTIAL, None: MatchKind.OTHER}


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Migrate a ledger to this version in one transaction; a copy of the old one is kept beside it.

    Raises:
        StorageError: it is of a newer version, damaged, or there is no room for the copy.
    """
    if _current(connection, path):
        return
    connection.create_function("normalised", 1, normalize_url, deterministic=True)
    connection.create_function("matches_in", 1, _matches_in, deterministic=True)
    connection.create_function("site_of", 1, registrable_domain, deterministic=True)
    connection.create_function("to_read_anew", 1, _to_read_anew, deterministic=True)
    connection.create_function("hash_of", 1, _hash_of, deterministic=True)
    connection.execute("BEGIN IMMEDIATE")  # waits for another process that is migrating
    try:
        if not _current(connection, path):
            _bring_up(connection, path, version_of(connection))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def schema_of(version: int) -> list[str]:
    """The statements that create tables, indexes and triggers of this version, in this order."""
    assert version == VERSION  # noqa: S101 - no other one can be derived
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, Path(":memory:"))
        rows = connection.execute(
            "SELECT sql FROM sqlite_master WHERE sql NOT NULL"
            " ORDER BY type = 'trigger', type = 'index', rowid"
        )
        return [row[0] for row in rows]


def name_of(statement: str) -> str:
    """The name of what a statement of the schema creates."""
    matched = _NAMED.match(statement)
    return matched[1] if matched else ""


def version_of(connection: sqlite3.Connection) -> int:
    """The version of a ledger; 0 for an empty file."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def other_version(path: Path, version: int) -> StorageError:
    """The error for a ledger of another version, or a file that is not a ledger, with advice."""
    if not version:
        return StorageError(
            f"{path} is not a ledger: it is empty, or of another program",
            advice="restore it from a backup, or name the state folder of your scans with --state",
        )
    if version > VERSION:
        advice = "install that version, or name another state folder with --state"
        made_by = "a newer"
    else:
        advice = "the next scan upgrades it"
        made_by = "an older"
    return StorageError(f"the ledger {path} is from {made_by} version of batchscan", advice=advice)


def refuse_foreign(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a database of another program, which has tables and no version.

    Raises:
        StorageError: it is one.
    """
    # In one statement, as a ledger may be made meanwhile by another process.
    if connection.execute(
        "SELECT 1 FROM pragma_user_version, sqlite_master WHERE user_version = 0"
    ).fetchone():
        raise other_version(path, 0)


def copy_name(path: str, version: int) -> str:
    """The name of the copy of a ledger of an older version."""
    return f"{path}.v{version}"


def _current(connection: sqlite3.Connection, path: Path) -> bool:
    version = version_of(connection)
    if version > VERSION:
        raise other_version(path, version)
    return version == VERSION


def _bring_up(connection: sqlite3.Connection, path: Path, version: int) -> None:
    if version:
        _keep_copy(path, version)
    for number in range(version, VERSION):
        for statement in _statements(MIGRATIONS[number]):
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {VERSION}")


def _keep_copy(path: Path, version: int) -> None:
    """Copy the committed state; a second connection does not see this one's changes."""
    source = sqlite3.connect(f"file:{quote(os.fsencode(path))}?mode=ro", uri=True)
    name = copy_name(str(path), version)
    with closing(source), staged_path(name, _ADVICE, replace=True) as staged:
        copy_into(source, staged)


def _statements(script: str) -> Iterator[str]:
    """Split a script into statements: `executescript` would commit first."""
    statement = ""
    for part in script.split(";"):
        statement += f"{part};"
        if sqlite3.complete_statement(statement):  # not inside a comment or a string
            yield statement
            statement = ""


def _hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _matches_in(body: bytes) -> str:
    """The matches of a verbatim answer, for version 3: URL, kind, domain and pages, as JSON."""
    try:
        internet_matches = read_check(zlib.decompress(body), None).internet
    except zlib.error:
        return "[]"
    matches = by_key(
        Match(
            internet_match.url,
            _KINDS[internet_match.match_type],
            internet_match.web_pages,
            registrable_domain(internet_match.url),
        )
        for internet_match in internet_matches
    )
    return msgspec.json.encode([_columns(match) for match in matches.values()]).decode()


def _to_read_anew(body: bytes) -> bool:
    """Whether earlier versions parsed a verbatim answer differently, for version 5."""
    try:
        parsed = read_check(zlib.decompress(body), None)
    except zlib.error:
        return False  # damage is reported where the answer is needed
    return parsed.trouble is not None or "duplicate_match" in parsed.warnings


def _columns(match: Match) -> tuple[str, str, str, str | None]:
    pages = msgspec.json.encode(match.pages).decode() if match.pages else None
    return match.url, match.kind.value, match.domain, pages
