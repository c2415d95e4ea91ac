"""Ledgers of every earlier version become ones of this version; `fixtures/make.py` made them."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import threading
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from batchscan.errors import StorageError
from batchscan.ledger import FILE_NAME, Ledger, Realm
from batchscan.ledger.schema import VERSION
from tests.ledger.fixtures import make
from tests.support import limits
from tests.support.ledgers import REAL
from tests.support.old_ledgers import VERSIONS, Old, restored

AGES = [version for version in VERSIONS if not version.startswith(f"v{VERSION}")]
REALM = Realm(f"http://127.0.0.1:{make.PORT}", sandbox=False)


def rows(ledger: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(ledger)) as connection:
        return connection.execute(query).fetchall()


def schema(ledger: Path) -> list[tuple[Any, ...]]:
    return rows(ledger, "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name")


def version_of(ledger: Path) -> int:
    return int(rows(ledger, "PRAGMA user_version")[0][0])


def _rules_of_before(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A row with the rules of a rejection as they were called before conversions were."""
    return tuple(str(v).removesuffix("-never") if str(v).endswith("-never") else v for v in row)


def dumped(ledger: Path) -> list[str]:
    return list(make.dump(ledger, ""))


@pytest.fixture(params=VERSIONS)
def old(request, tmp_path) -> Old:
    return restored(request.param, tmp_path)


@pytest.fixture
def first(tmp_path) -> Old:
    return restored("v1", tmp_path)


@pytest.fixture
def fresh(tmp_path) -> Path:
    folder = tmp_path / "fresh"
    folder.mkdir()
    Ledger.open(folder, REAL).close()
    return folder / FILE_NAME  # type: ignore[no-any-return]


def test_every_version_up_to_this_one_has_a_ledger_here(tmp_path, fresh):
    """Whoever adds a migration runs `fixtures/make.py`, and keeps the older ones as they are."""
    assert {f"v{number}" for number in range(1, VERSION + 1)} <= set(VERSIONS)
    for version in VERSIONS:
        folder = tmp_path / version
        folder.mkdir()
        assert version_of(restored(version, folder).ledger) == int(version[1:].partition("-")[0])
    assert schema(restored(f"v{VERSION}", tmp_path).ledger) == schema(fresh)


def test_an_old_ledger_becomes_a_sound_one_like_a_new_one(old, fresh):
    Ledger.open(old.state, REALM).close()

    assert version_of(old.ledger) == VERSION
    assert rows(old.ledger, "PRAGMA integrity_check") == [("ok",)]
    assert rows(old.ledger, "PRAGMA foreign_key_check") == []
    assert schema(old.ledger) == schema(fresh)


def columns(ledger: Path) -> dict[str, str]:
    """The columns of each table but those that say what other tables say."""
    tables = rows(ledger, "SELECT name FROM sqlite_master WHERE type = 'table'")
    found = {table: rows(ledger, f"PRAGMA table_info({table})") for (table,) in tables}
    return {
        table: ", ".join(column[1] for column in described)
        for table, described in found.items()
        if table not in ("matches", "seals")
    }


def test_an_old_ledger_keeps_everything_else_byte_for_byte(old):
    queries = [f"SELECT {names} FROM {table}" for table, names in columns(old.ledger).items()]
    before = {query: rows(old.ledger, query) for query in queries}
    ledger = Ledger.open(old.state, REALM)
    answers = [ledger.known.answer(number + 1) for number in range(18)]
    ledger.close()

    after = {query: rows(old.ledger, query) for query in queries}
    assert {
        query: [_rules_of_before(row) for row in rows] for query, rows in after.items()
    } == before
    assert all(answer and answer.body.startswith(b'{"') for answer in answers)


@pytest.mark.parametrize("version", [version for version in VERSIONS if version >= "v4"])
def test_what_no_message_had_yet_is_still_to_be_reported(tmp_path, version):
    old = restored(version, tmp_path)
    Ledger.open(old.state, REALM).close()
    told = "SELECT target, count(*), sum(matches) FROM messages WHERE told_at {} GROUP BY target"

    assert rows(old.ledger, told.format("NOT NULL")) == [("command", 2, 7)]
    assert rows(old.ledger, told.format("IS NULL")) == [("webhook", 2, 7)]


def test_an_old_ledger_knows_each_match_since_its_first_answer(old):
    Ledger.open(old.state, REALM).close()
    found = rows(
        old.ledger,
        "SELECT c.path, m.url, m.kind, m.answer_id = p.answer_id, m.returned, m.pages NOT NULL,"
        " first.generation, last.generation, m.arrived_in = first.run_id, m.domain"
        " FROM sightings m JOIN pictures p ON p.id = m.picture_id AND p.realm_id = 1"
        " JOIN answers last ON last.id = m.answer_id AND last.received_at = m.last_seen"
        " JOIN answers first ON first.picture_id = p.id AND first.received_at = m.first_seen"
        " JOIN claims c ON c.scan_id = last.scan_id",
    )
    told = {path.rpartition(b"/")[2]: row for path, *row in found}
    here, gone, site = 1, 0, "127.0.0.1"

    def match(of: bytes, kind: str, there: int, first: int, last: int) -> list[Any]:
        url = f"http://127.0.0.1:{make.PORT}/web/copy-of-{of.hex()}.png"
        return [url, kind, there, 0, 1, first, last, 1, site]

    assert len(found) == len(told)
    assert told == {
        b"one.png": match(b"one.png", "full", here, 1, 2),  # partial, at first
        b"two.jpg": match(b"two.jpg", "full", here, 1, 2),
        b"\xff.png": match(b"\xff.png", "full", gone, 1, 1),
        b"lost.png": match(b"lost.png", "full", gone, 2, 2),  # the first answer was lost
        b"three.png": match(b"three.png", "partial", here, 2, 2),
        b"here.png": match(b"here.png", "full", here, 2, 2),
    }


def test_what_was_asked_is_asked_again_under_the_same_id(old):
    ledger = Ledger.open(old.state, REALM)
    claims = [
        claim for run in ledger.runs.unclosed() for claim in ledger.claims.open_claims(run.run_id)
    ]
    [claim] = [claim for claim in claims if claim.under_way]
    known = ledger.known.lookup(claim.sha256)
    again = ledger.claims._scan_id(claim.sha256, known.generation)
    ledger.close()

    assert claim.path.endswith(b"/c/open.png")
    assert (known.open, again) == (True, claim.scan_id)


@pytest.mark.parametrize("version", AGES)
def test_the_ledger_as_it_was_stays_beside_the_new_one(tmp_path, version):
    old = restored(version, tmp_path)
    before = dumped(old.ledger)
    Ledger.open(old.state, REALM).close()
    [copy] = [path for path in old.state.iterdir() if path.name != FILE_NAME]

    assert copy.name == f"{FILE_NAME}.{version.partition('-')[0]}"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert dumped(copy) == before


def test_a_ledger_of_this_version_is_not_copied(tmp_path):
    old = restored(f"v{VERSION}", tmp_path)
    Ledger.open(old.state, REALM).close()

    assert [path.name for path in old.state.iterdir()] == [FILE_NAME]


def test_where_the_copy_cannot_be_kept_the_ledger_stays_as_it_is(first):
    before = dumped(first.ledger)
    (first.state / f"{FILE_NAME}.v1").mkdir()

    with pytest.raises(StorageError, match=r"cannot write .*ledger\.sqlite3\.v1"):
        Ledger.open(first.state, REALM)
    assert dumped(first.ledger) == before


def test_where_the_disk_has_no_room_for_the_copy_nothing_is_left_of_it(first):
    before = dumped(first.ledger)
    size = first.ledger.stat().st_size
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.killed_migration", str(first.state), "0"],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: limits.apply("file-size", size // 2),
    )

    assert "StorageError" in done.stderr
    assert dumped(first.ledger) == before
    assert [path.name for path in first.state.iterdir()] == [FILE_NAME]


def test_a_damaged_ledger_is_left_as_it_is_and_not_brought_up_to_date(first):
    with first.ledger.open("r+b") as file:
        file.seek(-4096, 2)  # the last page: an index
        file.write(bytes(4096))
    before = first.ledger.read_bytes()

    with pytest.raises(StorageError, match="damaged") as caught:
        Ledger.open(first.state, REALM)
    assert "backup" in str(caught.value.advice)
    assert first.ledger.read_bytes() == before


@pytest.mark.parametrize("version", [*AGES, None])
def test_many_who_open_an_old_ledger_or_none_at_once_do_each_other_no_harm(
    tmp_path, fresh, version
):
    state = restored(version, tmp_path).state if version else tmp_path
    ready = threading.Barrier(4)
    done: list[int] = []

    def open_it() -> None:
        ready.wait()
        ledger = Ledger.open(state, REALM)
        done.append(len(ledger.runs.unclosed()))
        ledger.close()

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert done == [1 if version else 0] * 4
    assert schema(state / FILE_NAME) == schema(fresh)
    assert rows(state / FILE_NAME, "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_ledger_of_this_version_can_be_made_again(tmp_path):
    made = tmp_path / "made.sql"
    subprocess.run([sys.executable, make.__file__, str(made)], check=True)
    again, kept = (
        Counter(line.partition(" VALUES")[0] for line in script.read_text().splitlines())
        for script in (made, make.HERE / f"v{VERSION}.sql")
    )
    for rows_of in (again, kept):
        del rows_of["INSERT INTO sends"]  # only the latest are kept, so it depends on the time

    assert {line: again[line] for line in again if line.startswith("INSERT")} == {
        line: kept[line] for line in kept if line.startswith("INSERT")
    }


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_kill_at_any_statement_leaves_the_old_version_or_this_one(tmp_path):
    left = set()
    for nth in range(1, 1000):
        folder = tmp_path / str(nth)
        folder.mkdir()
        old = restored("v1", folder)
        before = dumped(old.ledger)
        program = [sys.executable, "-m", "tests.support.killed_migration", str(old.state), str(nth)]
        ended = subprocess.run(program, check=False).returncode
        version = version_of(old.ledger)
        assert version in (1, VERSION)
        assert version == VERSION or dumped(old.ledger) == before
        left.add(version)
        Ledger.open(old.state, REALM).close()
        assert version_of(old.ledger) == VERSION
        assert len(rows(old.ledger, "SELECT 1 FROM sightings")) == 12
        assert not [path for path in old.state.iterdir() if path.name.endswith("-journal")]
        if ended == 0:  # there were not that many
            break
    assert nth > 30
    assert left == {1, VERSION}
