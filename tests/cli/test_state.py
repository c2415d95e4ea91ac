"""`batchscan state` over the ledger of real scans that the fixtures keep."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from batchscan.cli import main
from batchscan.errors import StorageError
from batchscan.ledger import FILE_NAME, Ledger, Realm
from batchscan.ledger.schema import VERSION
from batchscan.ledger.vacuum import vacuum
from batchscan.state.lock import StateLock, holder_of
from tests.ledger.fixtures.make import PORT, dump
from tests.support.ledgers import listing
from tests.support.old_ledgers import VERSIONS, restored

REALM = Realm(f"http://127.0.0.1:{PORT}", sandbox=False)
SOUND = ["version", "pages", "references", "answers", "cache", "last run", "permissions", "lock"]


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home without settings."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("BATCHSCAN_CONFIG", raising=False)
    return tmp_path


@pytest.fixture
def state(home) -> Path:
    """A state folder as scans of this version left it."""
    return restored(f"v{VERSION}", home).state


@pytest.fixture
def run(state, capsys):
    def running(*words: str) -> tuple[int, str, str]:
        code = main(["state", *words, "--state", str(state), "-o", str(state.parent / "output")])
        said = capsys.readouterr()
        return code, said.out, said.err

    return running


def change(state: Path, *statements: str) -> None:
    with closing(sqlite3.connect(state / FILE_NAME)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def test_stats_count_what_the_ledger_holds(run, state):
    code, out, err = run("stats", "--json")
    facts = json.loads(out)
    real, sandbox = facts["realms"]

    assert (code, err) == (0, "")
    assert (facts["version"], facts["folders"]) == (VERSION, 4)
    assert facts["messages"] == {"pending": 2, "told": 2}
    runs = facts["runs"]
    assert (runs["closed"], runs["open"]) == (3, 1)
    assert runs["oldest"] < runs["newest"]
    assert facts["bytes"]["ledger"] == (state / FILE_NAME).stat().st_size
    assert (
        sum(facts["bytes"]["tables"].values()) + facts["bytes"]["free"] <= facts["bytes"]["ledger"]
    )
    assert real["api_url"] == REALM.api_url
    counts = ("pictures", "answered", "answers", "files", "rejected", "doubts", "open_claims")
    assert [real[name] for name in counts] == [11, 8, 15, 13, 4, 6, 2]
    assert real["credits"]["ever"] == 15
    assert real["matches"] == {
        "gone": {"open": 2},
        "known": {"open": 1, "reviewed": 1},
        "new": {"open": 2},
    }
    assert real["oldest_answer"] < real["newest_answer"]
    assert [sandbox[name] for name in ("sandbox", "answers", "files")] == [True, 3, 4]
    assert sandbox["matches"] == {"new": {"open": 6}}


def test_stats_are_shown_to_people(run):
    code, out, _ = run("stats")

    assert code == 0
    assert f"version {VERSION}" in out
    assert "  4 folders; 3 runs ended, 1 not closed (" in out
    assert "  11 pictures, 8 with an answer; 15 answers in all" in out
    assert "  6 uploads perhaps charged without an answer, 2 still open" in out
    assert "  known matches: 1 open, 1 reviewed" in out
    assert "  new matches: 2 open" in out


def test_credits_are_counted_by_the_calendar(run, state):
    change(
        state,
        "UPDATE answers SET received_at = 0.0 WHERE id = 1",
        "UPDATE answers SET received_at = unixepoch() WHERE id IN (2, 3)",
    )
    credits_ = json.loads(run("stats", "--json")[1])["realms"][0]["credits"]

    assert credits_["ever"] == 15
    assert 2 <= credits_["day"] <= credits_["month"] <= 14


def test_sizes_are_reported_also_where_sqlite_cannot_count_pages(state):
    ledger = Ledger.read(state, REALM)
    pages, contents = ledger.stats.sizes(), ledger.stats.sizes(exact=False)
    ledger.close()

    assert contents.keys() < pages.keys()
    assert next(iter(contents)) == "runs"
    assert contents["answers"] > contents["folders"] > 0


@pytest.mark.parametrize("words", [["stats"], ["check"], ["backup", "x"], ["prune"], ["vacuum"]])
def test_without_a_ledger_there_is_nothing_to_look_after(home, capsys, words):
    assert main(["state", *words, "--state", str(home / "none")]) == 9
    assert "there is no ledger" in capsys.readouterr().err
    assert not (home / "none").exists()


def test_an_older_ledger_can_be_checked_and_copied_but_is_not_counted(home, capsys):
    old = restored("v1", home)
    before = listing(old.state)
    where = ["--state", str(old.state)]
    assert main(["state", "check", *where]) == 0
    assert "is from an older version of batchscan" in capsys.readouterr().out
    assert main(["state", "backup", str(home / "copy"), *where]) == 0
    assert main(["state", "stats", *where]) == 9
    assert listing(old.state) == before


@pytest.mark.parametrize("version", VERSIONS)
def test_a_ledger_that_was_brought_up_to_date_is_sound(home, capsys, version):
    old = restored(version, home)
    Ledger.open(old.state, REALM).close()
    before = listing(old.state)
    code = main(["state", "check", "--state", str(old.state)])
    lines = capsys.readouterr().out.splitlines()

    assert code == 0
    assert [line.split(":")[0] for line in lines] == [f"ok       {what}" for what in SOUND]
    assert "answers: 18 checked" in lines[3]
    assert listing(old.state) == before


DAMAGES = {
    "references": ("DELETE FROM claims WHERE scan_id IN (SELECT scan_id FROM doubts)",),
    "answers": (
        "UPDATE answers SET body = x'00' WHERE id = 1",
        "UPDATE answers SET body = (SELECT body FROM unread_bodies) WHERE id = 2",
        "UPDATE sightings SET key = 'other' WHERE picture_id = 2",
    ),
    "cache": (
        "UPDATE files SET picture_id = NULL, rules = 'others' WHERE name = CAST('here.png' AS BLOB)",
        "UPDATE seals SET oldest = 1.0 WHERE realm_id = 2",
        "UPDATE seals SET rejected = x'81a5656d70747991c40161' WHERE realm_id = 1 AND folder_id = 3",
    ),
    "last run": ("UPDATE outcomes SET line = replace(line, 'scanned', 'failed') WHERE id % 2",),
}


@pytest.mark.parametrize("what", DAMAGES)
def test_whatever_is_wrong_in_the_ledger_is_found_and_named(run, state, what):
    change(state, *DAMAGES[what])
    code, out, _ = run("check")
    [problem] = [line for line in out.splitlines() if line.startswith("problem")]

    assert code == 9
    assert problem.startswith(f"problem  {what}: ")
    if what == "answers":
        assert "3 wrong: answer 1 is damaged; answer 2 cannot be read; answer 10 does" in problem
    if what == "cache":
        assert "3 wrong: " in problem
        assert "has other rejected files" in problem


@pytest.mark.parametrize("report", ["not JSON", '{"schema": 1}'])
def test_a_report_that_cannot_be_read_is_a_problem(run, state, report):
    change(state, f"UPDATE runs SET report = CAST('{report}' AS BLOB) WHERE closed")
    code, out, _ = run("check")

    assert code == 9
    assert "its report cannot be read" in out


def test_counts_that_do_not_add_up_are_a_problem(run, state):
    change(state, "UPDATE answers SET credits = 7 WHERE id = 18")
    code, out, _ = run("check")

    assert code == 9
    assert "0 credits charged, but its answers cost 7" in out


def test_a_damaged_page_is_found(run, state):
    with closing(sqlite3.connect(state / FILE_NAME)) as connection:
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'answers_by_picture'"
        (page,) = connection.execute(query).fetchone()
    with (state / FILE_NAME).open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(bytes(4096))
    code, out, _ = run("check")

    assert code == 9
    assert "problem  pages: " in out
    assert "restore the ledger from a backup" in out


def test_a_newer_ledger_is_a_problem(run, state):
    change(state, f"PRAGMA user_version = {VERSION + 1}")
    code, out, _ = run("check")

    assert code == 9
    assert "is from a newer version of batchscan" in out


def test_who_may_look_inside_and_who_holds_the_lock_is_reported(run, state):
    (state / FILE_NAME).chmod(0o644)
    state.chmod(0o750)
    lock = StateLock(state, "fail")
    lock.acquire()
    code, out, _ = run("check")
    lock.release()

    assert code == 0
    assert f"chmod 600 {state / FILE_NAME}" in out
    assert f"chmod 700 {state}" in out
    assert f"ok       lock: a scan is running: process {os.getpid()}, since 20" in out
    assert holder_of(state) is None  # though lock.json is still there


def test_a_backup_is_written_and_nothing_is_overwritten(run, state, tmp_path):
    copy = tmp_path / "copy\x1b[2J"
    code, out, _ = run("backup", str(copy))
    assert code == 0
    assert out.startswith(f"written: {tmp_path}/copy\\x1b[2J (")
    assert list(dump(copy, "")) == list(dump(state / FILE_NAME, ""))
    before = copy.read_bytes()

    assert run("backup", str(copy))[0] == 2
    assert run("backup", str(tmp_path / "no" / "where"))[0] == 2
    assert copy.read_bytes() == before


def test_a_dry_run_of_prune_shows_what_would_go_and_leaves_it(run, state):
    before = listing(state)
    code, out, _ = run("prune", "--dry-run")

    assert (code, out) == (0, "would be deleted: 1 row of files that are gone\n")
    assert listing(state) == before


def test_prune_lets_go_what_it_says(run, state):
    shutil.rmtree(state.parent / "images" / "c")
    assert run("prune", "-n")[1].splitlines() == [
        "would be deleted: 2 rows of files that are gone",
        "kept: 1 row of files that are gone, with matches",
    ]
    code, out, _ = run("prune")

    assert code == 0
    assert out.splitlines() == [
        "deleted: 2 rows of files that are gone",
        "kept: 1 row of files that are gone, with matches",
    ]
    assert run("prune")[1].startswith("nothing deleted\nkept: 1 row")
    assert run("check")[0] == 0


@pytest.mark.parametrize("word", ["soon", "-1d", "nan"])
def test_an_age_that_is_none_is_refused(run, word):
    code, _, err = run("prune", f"--older-than={word}")

    assert code == 2
    assert "--older-than" in err


def test_vacuum_gives_back_the_room_of_what_is_gone(run, state):
    change(state, "CREATE TABLE big AS SELECT randomblob(500000)", "DROP TABLE big")
    before = list(dump(state / FILE_NAME, ""))
    free = json.loads(run("stats", "--json")[1])["bytes"]["free"]
    assert free > 400_000
    assert "`batchscan state vacuum` returns them to the disk" in run("stats")[1]
    code, out, _ = run("vacuum")

    assert code == 0
    assert out.endswith(" kB less than before.\n")
    assert (state / FILE_NAME).stat().st_size < 400_000
    assert list(dump(state / FILE_NAME, "")) == before
    assert run("check")[0] == 0


@pytest.mark.parametrize("free", [100_000, 250_000])
def test_vacuum_is_refused_where_the_disk_has_no_room_for_it(state, free):
    before = listing(state)

    with pytest.raises(StorageError, match="rewriting the ledger needs") as caught:
        vacuum(state / FILE_NAME, lambda _: free if free < 200_000 else free // 2)
    assert "TMPDIR" in str(caught.value.advice)
    assert listing(state) == before


@pytest.mark.parametrize("word", ["prune", "vacuum"])
def test_what_changes_the_ledger_waits_for_a_scan_as_a_scan_does(run, state, word):
    before = (state / FILE_NAME).read_bytes()
    held, ended = threading.Event(), threading.Event()

    def scan() -> None:
        lock = StateLock(state, "fail")
        lock.acquire()
        held.set()
        ended.wait()
        lock.release()

    scanning = threading.Thread(target=scan)
    scanning.start()
    held.wait()
    code, out, err = run(word)
    assert (code, out) == (7, "")
    assert "another run holds" in err
    assert run(word, "--if-locked", "skip") == (7, "", "")
    assert (state / FILE_NAME).read_bytes() == before
    threading.Timer(0.2, ended.set).start()
    assert run(word, "--if-locked", "wait")[0] == 0
    scanning.join()
