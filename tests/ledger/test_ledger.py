from __future__ import annotations

import asyncio
import os
import sqlite3
import stat

import pytest

from batchscan.errors import StorageError
from batchscan.ledger import FILE_NAME, LearnedRate, Ledger, LedgerThread
from tests.support.inside import connection_of
from tests.support.ledgers import REAL, answer, digest, image, listing
from tests.support.settling import settle


def test_the_ledger_and_its_log_are_private_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        ledger = Ledger.open(tmp_path, REAL)
        modes = {stat.S_IMODE(os.stat(tmp_path / name).st_mode) for name in os.listdir(tmp_path)}
        ledger.close()
    finally:
        os.umask(before)

    assert modes == {0o600}


def test_reading_leaves_the_state_folder_as_it_was(tmp_path):
    Ledger.open(tmp_path, REAL).close()
    before = listing(tmp_path)
    reader = Ledger.read(tmp_path, REAL)
    digest(reader)
    reader.close()

    assert listing(tmp_path) == before


def test_reading_where_there_is_no_ledger_finds_nothing_and_makes_none(tmp_path):
    reader = Ledger.read(tmp_path, REAL)
    assert list(reader.reporting.files()) == []
    reader.close()

    assert os.listdir(tmp_path) == []


def test_a_reader_sees_what_a_scan_that_is_on_has_committed(tmp_path):
    writer = Ledger.open(tmp_path, REAL)
    with writer.transaction():
        claim = writer.claims.open(image(), 1, "run", 0.0)
        settle(writer, claim, answer(), "run")
    reader = Ledger.read(tmp_path, REAL)
    known = reader.known.lookup(image().sha256)
    reader.close()
    writer.close()

    assert known.answer is not None


def test_a_newer_ledger_is_refused_and_left_alone(tmp_path):
    Ledger.open(tmp_path, REAL).close()
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    connection.execute("PRAGMA user_version = 99")
    connection.close()

    for opener in (Ledger.open, Ledger.read):
        with pytest.raises(StorageError, match="newer"):
            opener(tmp_path, REAL)


def test_a_file_that_is_no_ledger_is_refused_and_left_alone(tmp_path):
    (tmp_path / FILE_NAME).write_bytes(b"not a database" * 100)

    with pytest.raises(StorageError, match="cannot be used"):
        Ledger.open(tmp_path, REAL)
    assert (tmp_path / FILE_NAME).read_bytes() == b"not a database" * 100


async def test_what_was_awaited_is_there_after_the_process_dies(tmp_path):
    thread = LedgerThread(Ledger.open(tmp_path, REAL))
    await thread.run(lambda ledger: ledger.runs.begin("r", "/f", 0.0))
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in os.listdir(tmp_path):  # as a kill would leave them: no checkpoint, no close
        if name.startswith(FILE_NAME):
            (copy / name).write_bytes((tmp_path / name).read_bytes())
    await thread.aclose()
    survivor = Ledger.open(copy, REAL)
    runs = [run.run_id for run in survivor.runs.unclosed()]
    survivor.close()

    assert runs == ["r"]


async def test_an_operation_that_fails_undoes_itself_and_no_other(tmp_path):
    thread = LedgerThread(Ledger.open(tmp_path, REAL))

    def broken(ledger: Ledger) -> None:
        ledger.runs.begin("broken", "/f", 0.0)
        raise ValueError("no")

    results = await asyncio.gather(
        thread.run(lambda ledger: ledger.runs.begin("one", "/f", 0.0)),
        thread.run(broken),
        thread.run(lambda ledger: ledger.runs.begin("two", "/f", 1.0)),
        return_exceptions=True,
    )
    runs = [run.run_id for run in await thread.run(lambda ledger: ledger.runs.unclosed())]
    await thread.aclose()

    assert [type(result) for result in results] == [type(None), ValueError, type(None)]
    assert runs == ["one", "two"]


async def test_a_caller_that_goes_away_does_not_undo_its_operation(tmp_path):
    thread = LedgerThread(Ledger.open(tmp_path, REAL))
    task = asyncio.create_task(thread.run(lambda ledger: ledger.runs.begin("r", "/f", 0.0)))
    await asyncio.sleep(0)
    task.cancel()
    runs = await thread.run(lambda ledger: ledger.runs.unclosed())
    await thread.aclose()

    assert [run.run_id for run in runs] == ["r"]


async def test_text_in_the_ledger_that_nobody_can_decode_is_a_storage_error_of_its_reader_alone(
    tmp_path,
):
    thread = LedgerThread(Ledger.open(tmp_path, REAL))

    def read(ledger: Ledger) -> None:
        connection_of(ledger).execute("SELECT CAST(x'ff' AS TEXT)").fetchone()

    begun, failed = await asyncio.gather(
        thread.run(lambda ledger: ledger.runs.begin("r", "/f", 0.0)),
        thread.run(read),
        return_exceptions=True,
    )
    runs = [run.run_id for run in await thread.run(lambda ledger: ledger.runs.unclosed())]
    await thread.aclose()

    assert begun is None
    assert isinstance(failed, StorageError)
    assert runs == ["r"]


async def test_a_full_disk_is_a_storage_error_for_all_that_shared_the_commit(tmp_path):
    ledger = Ledger.open(tmp_path, REAL)
    pages = connection_of(ledger).execute("PRAGMA page_count").fetchone()[0]
    connection_of(ledger).execute(f"PRAGMA max_page_count = {pages}")
    thread = LedgerThread(ledger)

    async def begin(number: int) -> None:
        await thread.run(lambda ledger: ledger.runs.begin(f"r{number}", "/f" * 3000, 0.0))

    results = await asyncio.gather(*(begin(n) for n in range(20)), return_exceptions=True)
    await thread.aclose()

    assert any(isinstance(result, StorageError) for result in results)
    assert all(result is None or isinstance(result, StorageError) for result in results)
    reader = Ledger.open(tmp_path, REAL)
    kept = {run.run_id for run in reader.runs.unclosed()}
    reader.close()
    assert kept == {f"r{n}" for n, result in enumerate(results) if result is None}


def test_only_the_last_closed_run_keeps_its_lines(ledger):
    for number in (1, 2):
        ledger.runs.begin(f"r{number}", "/f", float(number))
        ledger.runs.add_outcome(f"r{number}", b"{}")
        ledger.runs.close(f"r{number}", b"{}")

    assert ledger.runs.lines("r1", 0, 10) == []
    assert len(ledger.runs.lines("r2", 0, 10)) == 1
    assert ledger.runs.last().run_id == "r2"


def test_sends_and_a_learned_rate_are_remembered_by_address(ledger):
    for at in (1.0, 2.0, 3.0):
        ledger.rate_limits.sent(at)
    ledger.rate_limits.learn(LearnedRate(0.5, 0.7, 3.0, 4.0))
    ledger.rate_limits.forget_sends_before(2.0)

    assert ledger.rate_limits.sends_since(0.0) == [2.0, 3.0]
    assert ledger.rate_limits.learned() == LearnedRate(0.5, 0.7, 3.0, 4.0)
