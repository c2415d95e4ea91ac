"""A scan and people who mark matches, at the same time; and what is asked of a long history."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing

import pytest

from batchscan.enums import Disposition
from batchscan.errors import StorageError
from batchscan.ledger import FILE_NAME, Ledger, LedgerThread, dispositions
from batchscan.ledger.decision_types import Choice, Decision, MarkResult
from tests.support.inside import connection_of
from tests.support.ledgers import REAL, answer, image
from tests.support.settling import settle


async def test_a_scan_looks_again_where_somebody_marked_between_its_look_and_its_write(tmp_path):
    ledger = Ledger.open(tmp_path, REAL)
    picture = image()
    claim = ledger.claims.open(picture, 1, "r1", 0.0)
    settle(ledger, claim, answer("https://x.example.com/"), "r1")
    thread = LedgerThread(ledger)
    marked: list[bool] = []

    def look_and_write(looking: Ledger) -> int:
        known = looking.known.lookup(picture.sha256)
        if not marked:  # another process, just now
            other = Ledger.change(tmp_path, REAL)
            with other.transaction(writing=True):
                connection_of(other).execute("UPDATE sightings SET disposition = 'reviewed'")
            other.close()
            marked.append(True)
        looking.rate_limits.sent(1.0)
        return known.generation

    assert await thread.run(look_and_write) == 1
    assert await thread.run(lambda ledger: ledger.rate_limits.sends_since(0.0)) == [1.0]
    assert (
        await thread.run(
            lambda ledger: next(iter(ledger.history.matches_of(1).values())).disposition
        )
        == "reviewed"
    )
    await thread.aclose()


async def test_a_scan_waits_for_a_writer_that_is_at_it_when_the_scan_has_looked_already(tmp_path):
    ledger = Ledger.open(tmp_path, REAL)
    thread = LedgerThread(ledger)
    writer = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None, check_same_thread=False)
    looks: list[int] = []

    def look_and_write(looking: Ledger) -> None:
        looks.append(len(looking.rate_limits.sends_since(0.0)))
        if len(looks) == 1:
            writer.execute("BEGIN IMMEDIATE")
            writer.execute("INSERT INTO sends VALUES (?, 1.0)", (REAL.api_url,))
            threading.Timer(0.3, writer.execute, ["COMMIT"]).start()
        looking.rate_limits.sent(2.0)

    await thread.run(look_and_write)

    assert looks == [0, 1]
    assert await thread.run(lambda ledger: ledger.rate_limits.sends_since(0.0)) == [1.0, 2.0]
    await thread.aclose()
    writer.close()


def test_marking_goes_on_piece_by_piece_to_the_last_match(tmp_path, monkeypatch):
    ledger = Ledger.open(tmp_path, REAL)
    for number in range(7):
        picture = image(f"/p/{number}.png", str(number).encode())
        claim = ledger.claims.open(picture, 1, "r1", 0.0)
        urls = [f"https://{site}/{n}.jpg" for site in ("a.example", "b.example") for n in range(5)]
        settle(ledger, claim, answer(*urls), "r1")
    monkeypatch.setattr(dispositions, "MATCHES_A_PIECE", 3)
    domain = ledger.dispositions.domains()[0]
    for choice, matches in (
        (Choice(domain, lambda url: url.endswith(("1.jpg", "2.jpg"))), 28),
        (Choice(None, lambda url: True), 42),  # the others are marked already
        (Choice(None, lambda url: False), 0),
    ):
        marked, pieces = MarkResult(), 0
        while marked.reached is not None:
            ledger.dispositions.mark(choice, Decision(Disposition.REVIEWED, 1.0), marked)
            pieces += 1
        assert (marked.matches, marked.pictures) == (matches, 7 if matches else 0)
        assert pieces > 7
        assert ledger.dispositions.any_of(choice) == bool(matches)
    ledger.close()


@pytest.mark.parametrize("domain", [None, "example.com"])
def test_each_piece_of_marking_begins_where_the_one_before_ended(tmp_path, domain):
    """And does not sort all matches again, which takes hours where there are many."""
    ledger = Ledger.open(tmp_path, REAL)
    asked: list[str] = []
    connection_of(ledger).set_trace_callback(asked.append)
    ledger.dispositions.any_of(Choice(domain, lambda url: True))
    connection_of(ledger).set_trace_callback(None)
    plan = connection_of(ledger).execute(f"EXPLAIN QUERY PLAN {asked[0]}").fetchall()
    ledger.close()

    assert "(picture_id,key)>(?,?)" in plan[0][3]
    assert len(plan) == 2


def test_a_writer_that_waits_too_long_is_advised_to_try_again(tmp_path):
    Ledger.open(tmp_path, REAL).close()
    holder = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    ledger = Ledger.change(tmp_path, REAL)
    connection_of(ledger).execute("PRAGMA busy_timeout = 1")
    with pytest.raises(sqlite3.OperationalError) as caught, ledger.transaction(writing=True):
        pass
    error = ledger.unusable(caught.value)
    ledger.close()
    holder.close()

    assert isinstance(error, StorageError)
    assert "written by another process" in str(error)
    assert "try again" in str(error.advice)


@pytest.mark.parametrize("what", ["charges.since(0.0, 1)", "claims.largest_charge()"])
def test_sums_over_answers_begin_with_their_index(tmp_path, what):
    ledger = Ledger.open(tmp_path, REAL)
    asked: list[str] = []
    connection_of(ledger).set_trace_callback(asked.append)
    eval(f"ledger.{what}", {"ledger": ledger})
    connection_of(ledger).set_trace_callback(None)
    plan = connection_of(ledger).execute(f"EXPLAIN QUERY PLAN {asked[0]}").fetchall()
    ledger.close()

    assert "answers_by_time" in plan[0][3]
    assert "PRIMARY KEY" in plan[1][3]


def test_a_command_that_ends_beside_a_scan_leaves_the_log_that_the_scan_writes(tmp_path):
    program = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]);"
        " c.execute('SELECT count(*) FROM runs').fetchall(); c.close()"
    )
    Ledger.open(tmp_path, REAL).close()
    with closing(Ledger.open(tmp_path, REAL)) as ledger:
        log = tmp_path / "ledger.sqlite3-wal"
        with ledger.transaction(writing=True):
            ledger.rate_limits.sent(1.0)
        before = log.stat().st_ino
        subprocess.run([sys.executable, "-c", program, str(ledger.path)], check=True)

        assert log.stat().st_ino == before
