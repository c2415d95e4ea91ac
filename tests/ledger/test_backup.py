"""Copies of a ledger: of one moment, whole, and leaving the state folder as it was."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings

from batchscan.errors import StorageError, UsageError
from batchscan.ledger import FILE_NAME, Ledger
from batchscan.ledger.backup import back_up, undisturbed
from tests.ledger.fixtures.make import dump
from tests.support import histories, settling
from tests.support.ledgers import REAL, answer, image, listing
from tests.support.old_ledgers import VERSIONS, restored


def settle(ledger: Ledger, number: int) -> None:
    """One paid answer: a claim that is answered, and the answer."""
    with ledger.transaction():
        claim = ledger.claims.open(image(content=b"%d" % number), 1, "run", 0.0)
        settling.settle(ledger, claim, answer("https://a.example.com/"), "run")


def counted(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as copy:
        return [
            copy.execute(f"SELECT count(*) FROM {what}").fetchone()[0]
            for what in ("answers", "sightings", "claims WHERE state = 'answered'")
        ]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_ledger_of_any_version_is_copied_as_it_is(tmp_path, version):
    old = restored(version, tmp_path)
    before = listing(old.state)
    back_up(old.ledger, str(tmp_path / "copy"))

    assert list(dump(tmp_path / "copy", "")) == list(dump(old.ledger, ""))
    assert listing(old.state) == before


def test_a_copy_is_its_owners_alone_whatever_the_umask(tmp_path):
    Ledger.open(tmp_path, REAL).close()
    before = os.umask(0)
    try:
        back_up(tmp_path / FILE_NAME, str(tmp_path / "copy"))
    finally:
        os.umask(before)

    assert stat.S_IMODE(os.stat(tmp_path / "copy").st_mode) == 0o600
    assert sorted(os.listdir(tmp_path)) == ["copy", FILE_NAME]


def test_copies_made_while_answers_come_hold_each_answer_whole_or_not(tmp_path):
    ledger = Ledger.open(tmp_path, REAL)
    ended = threading.Event()

    def scan() -> None:
        number = 0
        while not ended.is_set():
            settle(ledger, number := number + 1)

    scanning = threading.Thread(target=scan)
    scanning.start()
    try:
        for number in range(10):
            back_up(tmp_path / FILE_NAME, str(tmp_path / f"copy{number}"))
    finally:
        ended.set()
        scanning.join()
        ledger.close()
    counts = [counted(tmp_path / f"copy{number}") for number in range(10)]

    assert all(one == two == three for one, two, three in counts)
    assert counts == sorted(counts)
    assert counts[-1] > counts[0]


def test_a_ledger_that_a_scan_begins_to_write_meanwhile_is_looked_at_again(tmp_path):
    Ledger.open(tmp_path, REAL).close()
    seen: list[int] = []

    def count_answers(connection: sqlite3.Connection) -> int:
        found = int(connection.execute("SELECT count(*) FROM answers").fetchone()[0])
        if not seen:
            ledger = Ledger.open(tmp_path, REAL)
            settle(ledger, 1)
            ledger.close()
        seen.append(found)
        return found

    assert undisturbed(tmp_path / FILE_NAME, count_answers) == 1
    assert seen == [0, 1]


def test_nothing_is_overwritten(tmp_path):
    Ledger.open(tmp_path, REAL).close()
    (tmp_path / "copy").write_bytes(b"precious")
    (tmp_path / "link").symlink_to("nowhere")

    for name in ("copy", "link", FILE_NAME):
        with pytest.raises(UsageError, match="already exists"):
            back_up(tmp_path / FILE_NAME, str(tmp_path / name))
    assert (tmp_path / "copy").read_bytes() == b"precious"
    assert sorted(os.listdir(tmp_path)) == ["copy", FILE_NAME, "link"]


def _damaged(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(-4096, 2)
        file.write(bytes(4096))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_damaged, "damaged"),
        (lambda path: path.write_bytes(b"no database" * 400), "not a database"),
        (lambda path: path.write_bytes(b""), "not a ledger"),
        (os.unlink, "there is no ledger"),
    ],
)
def test_a_damaged_ledger_is_not_copied(tmp_path, spoil, said):
    old = restored("v4", tmp_path)
    spoil(old.ledger)

    with pytest.raises(StorageError, match=said):
        back_up(old.ledger, str(tmp_path / "copy"))
    assert not (tmp_path / "copy").exists()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".new-")]


@settings(max_examples=15)
@given(histories.files)
def test_whatever_a_ledger_holds_its_restored_copy_answers_the_same(tmp_path_factory, history):
    folder = tmp_path_factory.mktemp("any")
    ledger = Ledger.open(folder, REAL)
    histories.live(ledger, folder / "pictures", history)
    back_up(folder / FILE_NAME, str(folder / "copy"))
    expected = histories.told(ledger, folder / "pictures")
    ledger.close()
    (folder / "restored").mkdir()
    shutil.copy(folder / "copy", folder / "restored" / FILE_NAME)
    again = Ledger.open(folder / "restored", REAL)
    found = histories.told(again, folder / "pictures")
    again.close()

    assert found == expected
