"""A seal is a shortcut: whatever happens, it says what the rows say, or nothing."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import replace

import pytest

from batchscan.ledger import FILE_NAME, Ledger
from batchscan.ledger.schema import MIGRATIONS
from tests.support.inside import connection_of
from tests.support.ledgers import POLICY, REAL, answer, digest, entry, image, settled
from tests.support.settling import settle


def block(ledger, *names: str, folder: str = "/p", urls=()):
    stats = [
        settled(ledger, f"{folder}/{name}", os.fsencode(name), urls=urls).stat for name in names
    ]
    return [entry(name, stat) for name, stat in zip(names, stats, strict=True)]


def seals(ledger) -> int:
    return int(connection_of(ledger).execute("SELECT count(*) FROM seals").fetchone()[0])


def seal_all(ledger, standing=POLICY) -> None:
    after: int | None = 0
    while after is not None:
        after = ledger.files.build_cache(standing, after)


def forget_rows(ledger) -> None:
    """So that only a seal can know the files."""
    connection_of(ledger).execute("UPDATE files SET size = -1")


def test_a_run_seals_its_folders_so_that_the_next_one_reads_no_rows(ledger):
    entries = block(ledger, "a.png", "b.png")
    seal_all(ledger)
    forget_rows(ledger)
    found = ledger.files.classify("/p", entries, POLICY)

    assert (found.unchanged, found.changed) == (2, [])
    assert found.unchanged_bytes == sum(each[1] for each in entries)


def test_a_block_found_unchanged_by_its_rows_is_cached(ledger):
    entries = block(ledger, "a.png", "b.png")
    ledger.files.classify("/p", entries, POLICY)
    forget_rows(ledger)

    assert ledger.files.classify("/p", entries, POLICY).unchanged == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda entries: entries[:1],
        lambda entries: [*entries, ("c.png", 1, 2, 3)],
        lambda entries: [entries[0], (entries[1][0], entries[1][1] + 1, *entries[1][2:])],
        lambda entries: [entries[0], (*entries[1][:2], entries[1][2] + 1, entries[1][3])],
        lambda entries: [entries[0], (*entries[1][:3], entries[1][3] + 1)],
        lambda entries: [entries[0], ("z.png", *entries[1][1:])],
    ],
    ids=["removed", "added", "size", "mtime", "ctime", "renamed"],
)
def test_a_seal_does_not_hold_over_a_block_that_changed(ledger, change):
    entries = block(ledger, "a.png", "b.png")
    seal_all(ledger)
    changed = change(entries)
    found = ledger.files.classify("/p", changed, POLICY)
    truth = [each for each in changed if each not in entries]

    assert found.changed == truth
    assert found.unchanged == len(changed) - len(truth)


def test_a_seal_holds_only_under_its_rules_and_while_its_oldest_answer_is_young_enough(ledger):
    entries = block(ledger, "a.png")
    stat = image().stat
    ledger.files.upsert("/p/b.heic", stat, rules="r1", line=b"{}")
    entries.append(entry("b.heic", stat))
    seal_all(ledger)
    other_rules = ledger.files.classify("/p", entries, replace(POLICY, rules="r2"))
    too_old = ledger.files.classify("/p", entries, replace(POLICY, answers_since=1000.5))
    same = ledger.files.classify("/p", entries, POLICY)

    assert [each[0] for each in other_rules.changed] == ["b.heic"]
    assert [each.file[0] for each in too_old.due_for_rescan] == ["a.png"]
    assert same.unchanged == 2


def test_a_folder_with_a_verdict_that_does_not_hold_is_not_sealed(ledger):
    ledger.files.upsert("/p/b.heic", image().stat, rules="old rules", line=b"{}")
    seal_all(ledger)

    assert seals(ledger) == 0


def test_a_file_with_another_verdict_breaks_the_seal_of_its_folder_alone(ledger):
    block(ledger, "a.png", folder="/p")
    block(ledger, "a.png", folder="/q")
    seal_all(ledger)
    ledger.files.upsert("/p/a.png", image().stat, rules="r1", line=b"{}")

    assert seals(ledger) == 1


def test_another_answer_breaks_the_seals_over_its_picture(ledger):
    picture = settled(ledger, "/p/a.png")
    entries = [entry("a.png", picture.stat)]
    seal_all(ledger)
    claim = ledger.claims.open(picture, 2, "run", 0.0)
    settle(ledger, claim, answer("https://a.example/1", at=2000.0), "run")
    found = ledger.files.classify("/p", entries, POLICY)
    totals = digest(ledger).matches

    assert found.unchanged == 1
    assert totals.total == 1


def test_the_digest_is_the_same_whether_files_were_known_by_rows_or_by_a_seal(tmp_path):
    with_rows, with_seal = (Ledger.open(tmp_path, REAL) for _ in range(2))
    entries = block(
        with_rows, "a.png", "b.png", urls=("https://a.example/1", "https://b.example/2")
    )
    with_rows.files.classify("/p", entries, POLICY)
    with_rows.close()
    forget_rows(with_seal)
    with_seal.files.classify("/p", entries, POLICY)
    digests = [digest(with_seal)]
    with_seal.close()
    again = Ledger.open(tmp_path, REAL)
    connection_of(again).execute("DELETE FROM seals")
    connection_of(again).execute("UPDATE files SET size = ?", (entries[0][1],))
    again.files.classify("/p", entries, POLICY)
    digests.append(digest(again))
    again.close()

    assert digests[0] == digests[1]
    assert digests[0].matches.total == 4


def test_names_that_are_no_text_are_known_by_their_rows(ledger):
    name = os.fsdecode(b"\xff.png")
    entries = block(ledger, name)
    seal_all(ledger)

    assert seals(ledger) == 0
    assert ledger.files.classify("/p", entries, POLICY).unchanged == 1


def test_a_read_only_ledger_stores_no_block_cache(tmp_path):
    ledger = Ledger.open(tmp_path, REAL)
    entries = block(ledger, "a.png")
    ledger.close()
    looking = Ledger.read(tmp_path, REAL)
    found = looking.files.classify("/p", entries, POLICY)

    assert found.unchanged == 1
    assert seals(looking) == 0
    looking.close()


def test_a_ledger_of_the_first_version_is_brought_up_to_date_with_all_it_knows(tmp_path):
    old = sqlite3.connect(tmp_path / FILE_NAME)
    old.executescript(f"{MIGRATIONS[0]};PRAGMA user_version = 1;")
    old.execute("INSERT INTO realms VALUES (1, ?, ?)", (REAL.api_url, REAL.sandbox))
    old.execute("INSERT INTO folders VALUES (1, ?)", (b"/p",))
    stat = image().stat
    old.execute(
        "INSERT INTO files VALUES (1, 1, ?, ?, ?, ?, NULL, 'r1', ?)", (b"b.heic", *stat, b"{}")
    )
    old.commit()
    old.close()
    ledger = Ledger.open(tmp_path, REAL)
    found = ledger.files.classify("/p", [entry("b.heic", stat)], POLICY)
    ledger.close()

    assert found.unchanged == 1
