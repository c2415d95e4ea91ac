"""A scan that finds the ledger of an earlier version asks only what that one would have asked."""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import replace

import pytest

from tests.ledger.fixtures.make import LATE, PORT
from tests.support.bench import Bench
from tests.support.old_ledgers import VERSIONS, restored
from tests.support.result_lines import read_lines

UNANSWERED = {"c/silent.png", "c/open.png"}


# The default run has the oldest and the newest here, and all in `tests/ledger/test_migrate.py`.
EACH = [
    VERSIONS[0],
    *(pytest.param(each, marks=pytest.mark.slow) for each in VERSIONS[1:-1]),
    VERSIONS[-1],
]


@pytest.fixture(params=EACH)
async def old(request, bench, tmp_path):
    """The pictures and the state of an old ledger, which knows the emulator as its service."""
    before = restored(request.param, tmp_path)
    with closing(sqlite3.connect(before.ledger)) as connection:
        address = f"http://127.0.0.1:{PORT}", bench.emulator.url
        connection.execute("UPDATE realms SET api_url = replace(api_url, ?, ?)", address)
        connection.commit()
    return Bench(before.root, bench.emulator)


async def test_only_what_has_no_answer_is_sent(old):
    ran = await old.scan()

    assert {entry.file_name for entry in old.checks()} == {"silent.png", os.fsdecode(LATE)}
    assert len(old.checks()) == 2
    files = ran.report.files
    # Rejections are judged again where the rules were others then.
    assert (files.unchanged, files.rejected) in ((12, 0), (8, 4))
    assert ran.exit_code == 0
    assert {name for name, line in ran.lines.items() if line.reason is None} == UNANSWERED
    assert ran.report.matches.total == 4
    assert ran.report.matches.gone == 2
    assert ran.report.matches.new == 0


@pytest.mark.slow
async def test_the_killed_run_gets_its_files(old):
    await old.scan()
    [killed] = [
        folder
        for folder in (old.folder / "output" / "runs").iterdir()
        if len(list(read_lines(str(folder / "results.jsonl")))) == 1
    ]
    [line] = read_lines(str(killed / "results.jsonl"))

    assert line.reason == "outcome_unknown"
    assert line.path == str(old.images / "c" / os.fsdecode(LATE))


async def test_a_sandbox_answer_stays_one(old):
    sandbox = replace(old.settings().api, sandbox=True)
    ran = await old.scan(api=sandbox, roots=(str(old.images / "a"),))

    assert old.checks() == []
    assert ran.report.files.unchanged == 4
    assert ran.report.matches.total == 8 - 2  # the twin's content counts once


@pytest.mark.slow
async def test_moved_files_are_known_by_their_content(old):
    os.rename(old.images / "a", old.images / "moved")
    ran = await old.scan()

    assert len(old.checks()) == 2
    found = Counter(str(line.status) for line in ran.lines.values())
    assert found.pop("rejected", 4) == 4  # judged again where the rules were others then
    assert found == {"reused": 4, "scanned": 2}
