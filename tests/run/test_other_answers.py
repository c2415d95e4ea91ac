"""Answers to other questions, over a real server that speaks HTTP byte by byte."""

from __future__ import annotations

import sqlite3
import zlib
from contextlib import closing

import pytest

from tests.support.middlebox import Middlebox
from tests.support.processes import Process, command
from tests.support.servers import scripted


async def scan(bench, middlebox: Middlebox, concurrency: int):
    async with scripted(middlebox) as url:
        api = {"url": url, "identity_url": url, "attempts": 10}
        return await bench.scan(api=api, pace={"concurrency": concurrency})


async def test_another_pictures_answer_is_never_this_ones(bench):
    bench.pictures(6)
    middlebox = Middlebox("shifted")
    ran = await scan(bench, middlebox, 1)

    assert (ran.exit_code, ran.statuses()) == (0, {"scanned": 6})
    assert len(middlebox.asked) == 7
    assert ran.report.credits.outcome_unknown == 1


async def test_a_service_that_always_names_another_id_stops_the_run_after_one_picture(bench):
    bench.pictures(6)
    middlebox = Middlebox("always")
    ran = await scan(bench, middlebox, 1)

    assert ran.exit_code == 8
    assert ran.reasons() == {"outcome_unknown": 1, "unavailable": 5}
    assert (len(middlebox.asked), len(set(middlebox.asked))) == (2, 1)
    assert ran.report.credits.outcome_unknown == 2


async def test_with_many_uploads_at_once_only_those_and_one_more_are_paid(bench):
    bench.pictures(100)
    middlebox = Middlebox("always")
    ran = await scan(bench, middlebox, 16)

    assert ran.exit_code == 8
    assert set(ran.statuses()) == {"failed", "deferred"}
    assert len(middlebox.asked) <= 17
    assert ran.report.credits.outcome_unknown == len(middlebox.asked)


@pytest.mark.parametrize("kind", ["logins", "balances"])
async def test_an_answer_to_no_check_stops_the_run_and_is_no_pictures_answer(bench, kind):
    bench.pictures(6)
    middlebox = Middlebox(kind)
    ran = await scan(bench, middlebox, 1)

    assert ran.exit_code == 8
    assert ran.reasons() == {"outcome_unknown": 1, "unavailable": 5}
    assert len(middlebox.asked) == 2
    for path in (bench.folder / "state").glob("ledger*"):
        assert b"the-token-of-the-account" not in path.read_bytes()
    with closing(sqlite3.connect(bench.folder / "state" / "ledger.sqlite3")) as ledger:
        bodies = [
            zlib.decompress(row[0]) for row in ledger.execute("SELECT body FROM unread_bodies")
        ]
    assert not any(b"the-token" in body for body in bodies)


async def test_a_balance_that_another_request_was_given_is_asked_for_again(bench):
    async with scripted(Middlebox("late")) as url:
        process = Process(bench)
        process.environment |= {"COPYLEAKS_API_URL": url, "COPYLEAKS_IDENTITY_URL": url}
        process.environment["BATCHSCAN_CONFIG"] = str(bench.folder / "config.yaml")
        (bench.folder / "config.yaml").write_text(f"output: {{state: {bench.folder}/state}}\n")
        code, out, err = await command(["credits"], process.environment)

    assert (code, out) == (0, "100\n"), err


COUNT = 32  # pictures: each of the 16 at once twice


@pytest.mark.parametrize("kind", ["shifted", "doubled", "early", "late"])
async def test_many_at_once_all_get_their_own_answers(bench, kind):
    bench.pictures(COUNT)
    middlebox = Middlebox(kind)
    ran = await scan(bench, middlebox, 16)

    assert (ran.exit_code, ran.statuses()) == (0, {"scanned": COUNT})
    assert set(middlebox.asked) == {line.scan_id for line in ran.lines.values()}
    more = len(middlebox.asked) - COUNT
    assert ran.report.credits.outcome_unknown == more
    assert more <= (16 if kind in ("shifted", "late") else 0)
