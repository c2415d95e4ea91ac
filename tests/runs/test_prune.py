"""What `batchscan state prune` lets go, and what nothing makes it let go."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings

from batchscan.ledger import FILE_NAME, Ledger
from batchscan.runs.prune import PrunePlan, carry_out, find
from batchscan.runs.retention import RetentionResult
from batchscan.settings import Output, Settings
from tests.support import histories
from tests.support.histories import File
from tests.support.inside import connection_of
from tests.support.ledgers import REAL

NOW = 10.0**10
NONE: frozenset[str] = frozenset()
MATCH = frozenset({"https://site1.example.com/x"})


class Place:
    """A state folder, a tree of pictures and an output folder."""

    def __init__(self, folder: Path) -> None:
        self.pictures = folder / "pictures"
        self.state = folder / "state"
        self.settings = Settings(output=Output(directory=str(folder / "output")))
        for new in (self.pictures, self.state, folder / "output" / "runs"):
            new.mkdir(parents=True)

    def live(self, *files: File) -> Ledger:
        ledger = Ledger.open(self.state, REAL)
        histories.live(ledger, self.pictures, files)
        return ledger

    def prune(self, ledger: Ledger, before: float = 0.0) -> tuple[PrunePlan, RetentionResult]:
        with ledger.transaction():
            found = find(ledger, self.settings, before, NOW)
        return found, carry_out(ledger, self.settings, found, before)


@pytest.fixture
def place(tmp_path) -> Place:
    return Place(tmp_path)


def names(ledger: Ledger) -> list[str]:
    return [os.path.basename(file.path) for file in ledger.reporting.files()]


@settings(max_examples=40)
@given(histories.files)
def test_whatever_went_before_a_scan_asks_what_it_would_have_asked(tmp_path_factory, history):
    place = Place(tmp_path_factory.mktemp("any"))
    ledger = place.live(*history)
    before = histories.told(ledger, place.pictures)
    answers = len(list(connection_of(ledger).execute("SELECT 1 FROM answers")))
    place.prune(ledger)
    after = histories.told(ledger, place.pictures)
    again, _ = place.prune(ledger)
    kept = len(list(connection_of(ledger).execute("SELECT 1 FROM answers")))
    faults = list(connection_of(ledger).execute("PRAGMA foreign_key_check"))
    ledger.close()

    assert after == before
    assert again.nothing
    assert kept == answers
    assert faults == []


def test_files_that_are_gone_go_but_for_those_of_pictures_with_matches(place):
    ledger = place.live(
        File("a", 0, "answered", NONE, gone=False),
        File("a", 1, "answered", NONE, gone=True),
        File("a", 2, "answered", MATCH, gone=True),
        File("a", 3, "rejected", NONE, gone=True),
    )
    found, _ = place.prune(ledger)

    assert (found.files, found.matched, found.away) == (2, 1, 0)
    assert names(ledger) == ["0-0.png", "2-2.png"]
    ledger.close()


def test_a_folder_that_is_gone_goes_with_its_files(place):
    ledger = place.live(
        File("a", 0, "answered", NONE, gone=False), File("b/c", 1, "answered", NONE, gone=False)
    )
    connection_of(ledger).execute("UPDATE runs SET facts = ?", (_facts(place.pictures),))
    shutil.rmtree(place.pictures / "b")
    found, _ = place.prune(ledger)

    assert (found.files, found.away) == (1, 0)
    assert len(list(ledger.pruning.folders())) == 1
    ledger.close()


def _facts(*roots: Path) -> bytes:
    return ('{"roots": [' + ",".join(f'"{root}"' for root in roots) + "]}").encode()


@pytest.mark.parametrize("how", ["empty", "not there", "empty above", "all of another"])
def test_nothing_goes_from_a_disk_that_may_be_away(place, how):
    ledger = place.live(
        File("a", 0, "answered", NONE, gone=False),
        File("a", 1, "answered", NONE, gone=False),
        File("b/c", 2, "answered", NONE, gone=False),
    )
    connection_of(ledger).execute(
        "UPDATE runs SET facts = ?", (_facts(place.pictures / "a", place.pictures / "b"),)
    )
    folder = place.pictures / "a"
    shutil.rmtree(folder)
    if how != "not there":
        folder.mkdir()
    if how == "empty above":
        shutil.rmtree(place.pictures / "b" / "c")
    if how == "all of another":
        (folder / "another.png").write_bytes(b"x")
    found, _ = place.prune(ledger)

    assert found.files == 0
    assert found.away == (3 if how == "empty above" else 2)
    assert len(names(ledger)) == 3
    ledger.close()


def test_what_cannot_be_looked_into_stays(place):
    ledger = place.live(
        File("a", 0, "answered", NONE, gone=False), File("b", 1, "answered", NONE, gone=False)
    )
    connection_of(ledger).execute("UPDATE runs SET facts = ?", (_facts(place.pictures),))
    shutil.rmtree(place.pictures / "b")
    (place.pictures / "b").symlink_to("b")  # a loop
    found, _ = place.prune(ledger)

    assert (found.files, found.away) == (0, 1)
    ledger.close()


def test_objects_in_stores_stay(place):
    ledger = place.live(File("a", 0, "answered", NONE, gone=False))
    connection_of(ledger).execute("UPDATE folders SET path = CAST('s3://bucket/a' AS BLOB)")
    found, _ = place.prune(ledger)

    assert (found.files, found.away) == (0, 1)
    ledger.close()


def test_a_file_that_comes_back_is_known_by_its_content(place):
    ledger = place.live(
        File("a", 0, "answered", NONE, gone=False), File("a", 1, "answered", NONE, gone=True)
    )
    place.prune(ledger)
    (place.pictures / "a" / "1-1.png").write_bytes(histories.content_of(1))
    told = histories.told(ledger, place.pictures)
    ledger.close()

    [(unchanged, rest)] = told["unchanged"].values()
    assert (unchanged, [state[0] for state in rest]) == (1, ["1-1.png"])
    assert told["known"][1].answer is not None


def test_messages_go_when_they_were_delivered_long_enough_ago(place):
    ledger = place.live()
    for id_, told_at in (("old", 5.0), ("new", 15.0), ("pending", None)):
        connection_of(ledger).execute(
            "INSERT INTO messages (id, target, run_id, body, matches, made_at, told_at)"
            " VALUES (?, 't', 'r', x'', 1, 1.0, ?)",
            (id_, told_at),
        )
    found, _ = place.prune(ledger, before=10.0)
    left = [row[0] for row in connection_of(ledger).execute("SELECT id FROM messages ORDER BY id")]
    ledger.close()

    assert found.messages == 1
    assert left == ["new", "pending"]


def test_copies_of_older_versions_go_with_age_and_halves_after_a_day(place):
    ledger = place.live()
    ages = {
        f"{FILE_NAME}.v2": 5.0,
        f"{FILE_NAME}.v3": 15.0,
        ".new-x": 5.0,
        ".new-y": NOW,
        "token.json": 5.0,
    }
    for name, at in ages.items():
        (place.state / name).write_bytes(b"")
        os.utime(place.state / name, (at, at))
    (place.state / ".new-link").symlink_to("token.json")
    found, _ = place.prune(ledger, before=10.0)
    ledger.close()

    assert [path.name for path in found.leftovers] == [".new-x", f"{FILE_NAME}.v2"]
    left = {".new-link", ".new-y", FILE_NAME, f"{FILE_NAME}.v3", "token.json"}
    assert set(os.listdir(place.state)) == left


def test_runs_beyond_those_that_are_kept_go_with_their_folders(place):
    ledger = place.live(*(File("a", n, "answered", NONE, gone=False) for n in range(3)))
    place.settings = replace(place.settings, output=replace(place.settings.output, keep_runs=1))
    runs = Path(place.settings.output.directory) / "runs"
    for run_id, _ in ledger.runs.all_closed():
        (runs / run_id).mkdir()
        connection_of(ledger).execute(
            "UPDATE runs SET folder = ? WHERE run_id = ?", (os.fsencode(runs / run_id), run_id)
        )
    (runs / "run0" / "notes.txt").write_text("mine")
    found, done = place.prune(ledger)

    assert sorted(found.runs) == ["run0", "run1"]
    assert done.removed == ["run1"]
    assert done.kept == {str(runs / "run0"): "'notes.txt' in it is none of a run's files"}
    assert sorted(run_id for run_id, _ in ledger.runs.all_closed()) == ["run0", "run2"]
    assert sorted(os.listdir(runs)) == ["run0", "run2"]
    ledger.close()
