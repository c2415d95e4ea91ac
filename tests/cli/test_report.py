from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from batchscan.cli import main
from batchscan.errors import StorageError
from batchscan.ledger import FILE_NAME, Ledger, Realm
from batchscan.report import encode
from batchscan.settings import Api
from tests.support.report_facts import books, report


@pytest.fixture
def state(tmp_path):
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def ended(state, tmp_path):
    """A run that has ended; gives its folder."""
    folder = tmp_path / "out" / "runs" / "1"
    folder.mkdir(parents=True)
    ledger = Ledger.open(state, Realm(Api().url, sandbox=False))
    with ledger.transaction():
        ledger.runs.begin("1", str(folder), 0.0)
        ledger.runs.close("1", encode(report(books(scanned=3))))
    ledger.close()
    return folder


def test_the_last_report_is_printed_again_for_people(state, ended, capsys):
    assert main(["report", "--state", str(state)]) == 0
    said = capsys.readouterr()
    assert "All 3 pictures" in said.out
    assert str(ended) in said.out


def test_the_last_report_is_printed_again_for_programs(state, ended, capsysbinary):
    assert main(["report", "--json", "--state", str(state)]) == 0
    assert json.loads(capsysbinary.readouterr().out)["files"]["seen"] == 3
    assert not list(ended.iterdir())


def test_the_last_report_is_made_again_where_it_was(state, ended, capsys):
    assert main(["report", "--write", "--state", str(state)]) == 0
    assert json.loads((ended / "report.json").read_bytes())["files"]["seen"] == 3
    assert f"written: {ended / 'report.json'}" in capsys.readouterr().err


def test_the_schema_needs_no_ledger(capsysbinary):
    assert main(["report", "--schema", "--state", "/nowhere"]) == 0
    assert "$schema" in json.loads(capsysbinary.readouterr().out)


READING = (
    "report", "report --all", "export", "export --format csv", "takedown --to notices",
    "mark open example.com", "evidence pack --domain example.com --to case.zip", "alerts pending",
    "state stats", "state check", "state backup copy.sqlite3", "state vacuum",
    "state prune --older-than 30d", "stats", "stats --json", "renditions list", "mark --undo",
    "recheck", "recheck --json", "evidence capture --url http://a.example/", "review --no-open",
)  # fmt: skip
NOTHING = "nothing has been scanned with this state folder"


@pytest.mark.parametrize("words", READING)
def test_where_nothing_was_scanned_every_command_says_the_same_and_makes_nothing(
    words, state, capsys, monkeypatch
):
    monkeypatch.chdir(state)
    assert main([*words.split(), "--state", str(state)]) == 9
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        f"batchscan: there is no ledger {state / FILE_NAME}: {NOTHING}",
        "  scan first, or name the state folder of your scans with --state",
    ]
    assert not list(state.iterdir())


@pytest.mark.parametrize("words", ["report", "state check", "recheck", "mark open example.com"])
@pytest.mark.parametrize("content", ["nothing", "another program's table"])
def test_a_file_that_is_no_ledger_is_not_called_an_older_one(words, content, state, capsys):
    with closing(sqlite3.connect(state / FILE_NAME)) as other:
        if content != "nothing":
            other.execute("CREATE TABLE notes (words TEXT)")
    before = (state / FILE_NAME).read_bytes()
    assert main([*words.split(), "--state", str(state)]) == 9
    said = capsys.readouterr()

    assert "is not a ledger: it is empty, or of another program" in said.out + said.err
    assert (state / FILE_NAME).read_bytes() == before


def test_a_scan_makes_no_ledger_of_another_programs_file(state):
    with closing(sqlite3.connect(state / FILE_NAME)) as other:
        other.execute("CREATE TABLE notes (words TEXT)")
    before = (state / FILE_NAME).read_bytes()
    with pytest.raises(StorageError, match="is not a ledger"):
        Ledger.open(state, Realm(Api().url, sandbox=False))

    assert (state / FILE_NAME).read_bytes() == before


def test_a_ledger_that_is_none_is_a_storage_error(state, capsys):
    (state / "ledger.sqlite3").write_bytes(b"x" * 5000)
    assert main(["report", "--state", str(state)]) == 9
    assert "cannot be used" in capsys.readouterr().err
