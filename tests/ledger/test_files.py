from __future__ import annotations

import math
import os
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from batchscan.ledger import FreshnessPolicy, Ledger
from batchscan.model import MAX_COUNT
from tests.support.ledgers import POLICY, REAL, answer, digest, entry, image, settled
from tests.support.settling import settle


def test_an_answered_file_is_unchanged_until_its_stat_changes(ledger):
    stat = settled(ledger, "/p/a.png").stat
    same = ledger.files.classify("/p", [entry("a.png", stat)], POLICY)
    touched = entry("a.png", stat._replace(ctime_ns=stat.ctime_ns + 1))
    changed = ledger.files.classify("/p", [touched], POLICY)

    assert (same.unchanged, same.changed) == (1, [])
    assert (changed.unchanged, changed.changed) == (0, [touched])


def test_an_answer_that_is_too_old_makes_the_file_due_again(ledger):
    stat = settled(ledger, "/p/a.png", at=1000.0).stat
    due = ledger.files.classify("/p", [entry("a.png", stat)], replace(POLICY, answers_since=1000.5))

    assert due.unchanged == 0


def test_where_no_time_is_recent_enough_the_runs_own_answers_hold_and_no_others(ledger):
    stat = settled(ledger, "/p/a.png").stat  # by the run called "run"
    own = FreshnessPolicy(rules="r1", run_id="run", answers_since=math.inf)
    kept = ledger.files.classify("/p", [entry("a.png", stat)], own)
    due = ledger.files.classify("/p", [entry("a.png", stat)], replace(own, run_id="another"))

    assert (kept.unchanged, due.unchanged) == (1, 0)


def test_a_rejection_holds_only_under_the_rules_it_was_made_under(ledger):
    stat = image().stat
    ledger.files.upsert("/p/a.heic", stat, rules="r1", line=b"{}")
    same = ledger.files.classify("/p", [entry("a.heic", stat)], POLICY)
    other = ledger.files.classify("/p", [entry("a.heic", stat)], replace(POLICY, rules="r2"))

    assert (same.unchanged, other.unchanged) == (1, 0)


def test_the_same_name_in_another_folder_is_another_file(ledger):
    stat = settled(ledger, "/p/a.png").stat
    found = ledger.files.classify("/q", [entry("a.png", stat)], POLICY)

    assert found.unchanged == 0


def test_files_known_below_a_root_are_found_and_those_beside_it_are_not(ledger):
    settled(ledger, "/mnt/disk/2024/a.png")

    assert ledger.files.has_files_under("/mnt/disk")
    assert ledger.files.has_files_under("/mnt/disk/2024")
    assert ledger.files.has_files_under("/")
    assert not ledger.files.has_files_under("/mnt/dis")
    assert not ledger.files.has_files_under("/mnt/disk/2023")


@given(st.binary(min_size=1, max_size=40).filter(lambda n: b"/" not in n and b"\0" not in n))
def test_a_name_of_any_bytes_is_found_again(tmp_path_factory, name):
    ledger = Ledger.open(tmp_path_factory.mktemp("state"), REAL)
    text = os.fsdecode(name)
    stat = settled(ledger, os.path.join("/p", text)).stat
    found = ledger.files.classify("/p", [entry(text, stat)], POLICY)
    ledger.close()

    assert found.unchanged == 1


def test_the_digest_counts_each_content_and_url_once_unchanged_ones_too(ledger):
    urls = ("https://one.example.com/a", "https://two.example.com/b")
    first = settled(ledger, "/p/a.png", b"a", urls=urls)
    ledger.files.upsert("/p/twin.png", first.stat, picture_id=1)
    settled(ledger, "/p/clean.png", b"b")
    entries = [entry(name, first.stat) for name in ("a.png", "twin.png")]
    ledger.files.classify("/p", entries, POLICY)
    found_ = digest(ledger)

    assert found_.matches.images_with_matches == 1
    assert found_.matches.total == 2
    assert found_.run_matches.total == 0
    assert [(d.domain, d.images, d.full) for d in found_.domains] == [("example.com", 1, 2)]
    assert [image.path for image in found_.images] == ["/p/a.png"]


def test_what_this_run_scanned_is_counted_apart(ledger):
    picture = image()
    claim = ledger.claims.open(picture, 1, "run", 0.0)
    settle(ledger, claim, answer("https://x.example.com/1"), "run")
    ledger.report_pictures.add(claim.picture_id, picture.path, fresh=True)
    ledger.report_pictures.add(claim.picture_id, "/p/twin.png", fresh=False)

    assert digest(ledger).run_matches.total == 1


def test_a_new_answer_replaces_the_matches_and_keeps_the_old_body(ledger):
    picture = settled(ledger, "/p/a.png", urls=("https://gone.example.com/",))
    claim = ledger.claims.open(picture, 2, "run2", 0.0)
    settle(ledger, claim, answer("https://new.example.com/", at=2000.0), "run2")
    ledger.report_pictures.add(claim.picture_id, picture.path, fresh=True)

    assert digest(ledger).matches.total == 1
    assert ledger.known.answer(1) is not None


def test_sizes_may_add_up_to_more_than_a_column_holds(ledger):
    for name in ("a", "b", "c"):
        stat = image().stat._replace(size=MAX_COUNT)
        ledger.files.upsert(f"/p/{name}.png", stat, rules="r1", line=b'{"reason": "too_large"}')
    books = ledger.reporting.books()
    assert (books.rejected, books.bytes) == (3, MAX_COUNT)
