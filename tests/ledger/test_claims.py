from __future__ import annotations

import re
import sqlite3
from dataclasses import replace

import pytest

from batchscan.ledger import FILE_NAME, UNKNOWN_PICTURE, Ledger, Realm
from batchscan.ledger.schema import MIGRATIONS
from batchscan.model import Claim
from tests.support.ledgers import REAL, answer, image
from tests.support.settling import settle


def test_a_content_that_was_never_asked_about_is_unknown(ledger):
    assert ledger.known.lookup(image().sha256) == UNKNOWN_PICTURE


def test_the_same_work_asks_under_the_same_id_after_a_crash(tmp_path):
    ids = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        ledger = Ledger.open(tmp_path / folder, REAL)
        ids.append(ledger.claims.open(image(), 1, "run", 0.0).scan_id)
        ledger.close()

    assert ids[0] == ids[1]
    assert re.fullmatch(r"[a-z0-9-]{3,36}", ids[0])


def test_another_generation_realm_or_content_asks_under_another_id(tmp_path, ledger):
    other = Ledger.open(tmp_path, Realm(REAL.api_url, sandbox=True))
    ids = {
        ledger.claims.open(image(), 1, "run", 0.0).scan_id,
        ledger.claims.open(image(), 2, "run", 0.0).scan_id,
        ledger.claims.open(image(content=b"other"), 1, "run", 0.0).scan_id,
        other.claims.open(image(), 1, "run", 0.0).scan_id,
    }
    other.close()

    assert len(ids) == 4


def test_an_answer_is_kept_verbatim(ledger):
    claim = ledger.claims.open(image(), 1, "run", 0.0)
    settle(ledger, claim, answer("https://x.example.com/1"), "run")
    known = ledger.known.lookup(image().sha256)

    assert known.answer.body == b'{"matches": {"internet": []}}'
    assert known.answer.scan_id == claim.scan_id
    assert not known.open
    assert known.generation == 1


def test_answers_of_another_realm_are_unknown(tmp_path, ledger):
    claim = ledger.claims.open(image(), 1, "run", 0.0)
    settle(ledger, claim, answer(), "run")
    sandbox = Ledger.open(tmp_path, Realm(REAL.api_url, sandbox=True))
    known = sandbox.known.lookup(image().sha256)
    sandbox.close()

    assert known == UNKNOWN_PICTURE


def test_an_open_claim_is_asked_again_under_its_generation(ledger):
    ledger.claims.open(image(), 3, "run", 0.0)
    known = ledger.known.lookup(image().sha256)

    assert (known.generation, known.open) == (3, True)


def test_a_lost_answer_counts_as_one_possible_charge_only_once(ledger):
    claim = ledger.claims.open(image(), 1, "run", 0.0)
    ledger.claims.mark_unanswered(claim, 0.0)
    again = ledger.claims.open(image(), 1, "run", 0.0)

    assert ledger.claims.mark_lost(again, 0.0) is False
    assert ledger.claims.possibly_charged("run") == 1
    assert ledger.known.lookup(image().sha256).lost


def test_a_conflict_of_a_first_request_is_a_new_possible_charge(ledger):
    claim = ledger.claims.open(image(), 1, "run", 0.0)

    assert ledger.claims.mark_lost(claim, 0.0) is True
    assert ledger.claims.possibly_charged("run") == 1


@pytest.mark.parametrize(("charge", "each"), [(0, 1), (3, 3), (2_000, 2_000)])
def test_a_possible_charge_is_no_less_than_the_run_reserved(ledger, charge, each):
    dear = replace(answer(), credits=charge)
    settle(ledger, ledger.claims.open(image(), 1, "run", 0.0), dear, "run")
    for content in (b"one", b"two"):
        claim = ledger.claims.open(image(content=content), 1, "run", 0.0)
        ledger.claims.mark_unanswered(claim, 0.0)

    assert ledger.claims.possibly_charged("run") == 2 * each


def test_a_possible_charge_stays_with_the_run_that_sent_when_another_asks_again(ledger):
    for run in ("first", "first", "second"):
        claim = ledger.claims.open(image(), 1, run, 0.0)
        ledger.claims.mark_unanswered(claim, 0.0)
    settle(ledger, ledger.claims.open(image(), 1, "third", 0.0), answer(), "third")

    charged = [ledger.claims.possibly_charged(run) for run in ("first", "second", "third")]
    assert charged == [2, 1, 0]


def test_a_lost_answer_that_an_earlier_run_counted_is_none_of_the_later_runs_charges(ledger):
    claim = ledger.claims.open(image(), 1, "first", 0.0)
    ledger.claims.mark_unanswered(claim, 0.0)
    again = ledger.claims.open(image(), 1, "second", 0.0)

    assert ledger.claims.mark_lost(again, 0.0) is False
    assert ledger.claims.possibly_charged("first") == 1
    assert ledger.claims.possibly_charged("second") == 0


def test_possible_charges_that_the_first_version_counted_are_carried_over(tmp_path):
    old = sqlite3.connect(tmp_path / FILE_NAME)
    old.executescript(f"{MIGRATIONS[0]};PRAGMA user_version = 1;")
    old.execute("INSERT INTO realms VALUES (1, ?, ?)", (REAL.api_url, REAL.sandbox))
    old.execute("INSERT INTO pictures VALUES (1, 1, x'00', 1, 'png', 1, 1, NULL, NULL)")
    claims = (("doubtful", "one", 2), ("doubtful too", "two", 1), ("clear", "one", 0))
    for scan_id, run, unanswered in claims:
        values = (scan_id, run, b"/p/a.png", unanswered)
        old.execute("INSERT INTO claims VALUES (?, 1, 1, ?, ?, 0, 'open', 0, 3, ?)", values)
    old.commit()
    old.close()
    ledger = Ledger.open(tmp_path, REAL)
    charged = [ledger.claims.possibly_charged(run) for run in ("one", "two", "three")]
    newly = [ledger.claims.mark_lost(Claim(1, scan_id, 1), 0.0) for scan_id, *_ in claims]
    ledger.close()

    assert charged == [2, 1, 0]
    assert newly == [False, False, True]


def test_a_refusal_holds_for_the_content_until_an_answer_comes(ledger):
    claim = ledger.claims.open(image(), 1, "run", 0.0)
    ledger.claims.refused(claim, b'{"code": "10"}')
    assert ledger.known.lookup(image("/p/copy.png").sha256).refusal == b'{"code": "10"}'

    again = ledger.claims.open(image(), 2, "run", 0.0)
    settle(ledger, again, answer(), "run")
    assert ledger.known.lookup(image().sha256).refusal is None


@pytest.mark.parametrize(
    ("charges", "largest"),
    [((), None), ((1, 3, 2), 3), ((None, 1), 1), ((1, 10**15, 1), 1), ((10**15,), None)],
)
def test_the_largest_charge_is_remembered(ledger, charges, largest):
    for number, charge in enumerate(charges):
        claim = ledger.claims.open(image(content=b"%d" % number), 1, "run", 0.0)
        settle(ledger, claim, answer(credits_=charge), "run")

    assert ledger.claims.largest_charge() == largest


def test_only_claims_under_way_are_doubtful_after_a_kill(ledger):
    first = ledger.claims.open(image("/p/a.png", b"a"), 1, "run", 0.0)
    ledger.claims.open(image("/p/b.png", b"b"), 1, "run", 0.0)
    ledger.claims.mark_unsent(first)
    doubtful = {claim.path: claim.under_way for claim in ledger.claims.open_claims("run")}

    assert doubtful == {b"/p/a.png": False, b"/p/b.png": True}


def test_absurd_charges_add_up_to_what_no_sum_of_integers_holds(ledger):
    for number in range(3):
        claim = ledger.claims.open(image(content=b"%d" % number), 1, "run", 0.0)
        settle(ledger, claim, answer(credits_=2**62), "run")

    assert ledger.reporting.books().charged > 2**62
