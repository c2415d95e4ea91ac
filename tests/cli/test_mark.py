"""`batchscan mark` over a real ledger: what is decided, what is left alone, and taking it back."""

from __future__ import annotations

import getpass
import sqlite3
from collections import Counter
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchscan.cli import main
from batchscan.enums import Disposition, MatchKind
from batchscan.ledger import FILE_NAME, Ledger, Realm
from batchscan.model import Answer, Match, Score
from batchscan.settings import Api
from batchscan.util.urls import registrable_domain
from tests.support.ledgers import image
from tests.support.settling import settle

URLS = (
    "https://one.com/a.jpg",
    "https://one.com/b.jpg",
    "https://cdn.one.com/c.jpg",
    "https://two.co.uk/a.jpg",
    "https://three.org/a.jpg",
)


@pytest.fixture
def state(tmp_path):
    """A state folder whose ledger knows two pictures with the same matches."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    matches = tuple(Match(url, MatchKind.FULL, (), registrable_domain(url)) for url in URLS)
    ledger = Ledger.open(folder, Realm(Api().url, sandbox=False))
    with ledger.transaction():
        for path in ("/p/one.jpg", "/p/two.jpg"):
            picture = image(path, path.encode())
            claim = ledger.claims.open(picture, 1, "r1", 1000.0)
            answer = Answer(b"{}", 1000.25, 1, 1, Score(5, 5, 0), matches)
            settle(ledger, claim, answer, "r1")
            ledger.files.upsert(path, picture.stat, picture_id=claim.picture_id)
    ledger.close()
    return folder


@pytest.fixture
def mark(state, capsys):
    """Run `mark` with some words; its exit code and what it said."""

    def marking(*words: str) -> tuple[int, str]:
        code = main(["mark", *words, "--state", str(state)])
        said = capsys.readouterr()
        return code, said.out + said.err

    return marking


def rows(state, query):
    with closing(sqlite3.connect(state / FILE_NAME)) as connection:
        return connection.execute(query).fetchall()


def dispositions(state) -> dict[str, str]:
    """Of the first picture's matches, by URL."""
    return dict(rows(state, "SELECT url, disposition FROM sightings WHERE picture_id = 1"))


@pytest.mark.parametrize(
    "suffix", ["com", "co.uk", "COM", "com.", ".com", "*.com", "https://*.co.uk/*", "公司.cn"]
)
@pytest.mark.parametrize("force", [(), ("--force",)])
def test_a_public_suffix_is_no_site_and_nothing_is_marked(mark, state, suffix, force):
    code, said = mark("reviewed", suffix, *force)
    assert code == 2
    assert "nothing was marked" in said or "neither a domain nor a URL" in said
    assert set(dispositions(state).values()) == {"open"}


def test_a_match_that_was_decided_otherwise_is_left_without_force(mark, state):
    assert mark("not-mine", "https://one.com/a.jpg")[0] == 0
    code, said = mark("reviewed", "one.com")
    assert code == 0
    assert "4 matches of 2 pictures marked reviewed (before: 4 open)" in said
    assert "other decisions are kept: 2 not_mine" in said
    assert dispositions(state)["https://one.com/a.jpg"] == "not_mine"

    code, said = mark("reviewed", "https://one.com/a.jpg")
    assert code == 2
    assert "nothing was marked: there are other decisions (2 not_mine)" in said
    assert "--force" in said
    assert mark("reviewed", "one.com", "--force")[0] == 0
    assert dispositions(state)["https://one.com/a.jpg"] == "reviewed"


def test_steps_forward_need_no_force_and_steps_back_do(mark, state):
    for word in ("reviewed", "noticed", "removed"):
        assert mark(word, "three.org")[0] == 0
    for word in ("noticed", "reviewed", "open", "not_mine"):
        assert mark(word, "three.org")[0] == 2
    assert dispositions(state)["https://three.org/a.jpg"] == "removed"


def test_marking_once_more_changes_nothing_and_says_so(mark, state):
    mark("reviewed", "three.org")
    assert mark("reviewed", "three.org") == (
        0,
        "three.org: every match is marked reviewed already\n",
    )
    assert len(rows(state, "SELECT * FROM decisions")) == 1


def test_a_dry_run_says_what_would_be_marked_and_writes_nothing(mark, state):
    before = (state / FILE_NAME).read_bytes()
    code, said = mark("reviewed", "one.com", "two.co.uk", "-n")
    assert code == 0
    assert "one.com: 6 matches of 2 pictures would be marked reviewed (before: 6 open)" in said
    assert "two.co.uk: 2 matches of 2 pictures would be marked reviewed" in said
    assert (state / FILE_NAME).read_bytes() == before


@pytest.mark.parametrize("word", ["not_mine", "not-mine", "NOT_MINE"])
def test_a_word_is_taken_in_every_spelling(mark, state, word):
    assert mark(word, "three.org")[0] == 0
    assert dispositions(state)["https://three.org/a.jpg"] == "not_mine"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "a WORD is missing: open, reviewed, noticed, removed, not_mine"),
        (("reviewed",), "a SITE or URL is missing"),
        (("reviewd", "one.com"), "did you mean reviewed?"),
        (("one.com",), "'one.com' is not a decision"),
        (("reviewed", "onne.com"), "the nearest known: one.com"),
        (("reviewed", "far-away.example"), "matches are known on 3 sites"),
        (("--undo", "reviewed", "one.com"), "--undo takes no other arguments"),
        (("--undo",), "there is no decision to undo"),
        (("reviewed", "one.com", "--note", "x" * 2001), "at most 2,000 characters"),
    ],
)
def test_a_mistake_is_answered_with_what_is_right(mark, state, words, message):
    code, said = mark(*words)
    assert (code, message in said) == (2, True), said
    assert set(dispositions(state).values()) == {"open"}


def test_who_decided_what_when_and_why_is_kept(mark, state):
    mark("reviewed", "two.co.uk", "--note", "a poster shop, \x1b[31mno licence")
    ((who, word, about, note),) = rows(state, "SELECT who, disposition, about, note FROM decisions")
    assert (who, word, about) == (getpass.getuser(), "reviewed", "two.co.uk")
    assert note == "a poster shop, \x1b[31mno licence"
    assert rows(state, "SELECT count(*), before, after FROM decided") == [(2, "open", "reviewed")]


def test_undo_takes_the_last_decision_back_and_once_more_the_one_before(mark, state):
    mark("not_mine", "https://one.com/a.jpg")
    mark("reviewed", "one.com", "--force")
    code, said = mark("--undo")
    assert code == 0
    assert "undone: `mark reviewed one.com` of 20" in said
    assert "6 matches: 2 not_mine, 4 open again" in said
    assert Counter(dispositions(state).values()) == {"open": 4, "not_mine": 1}
    assert mark("--undo")[0] == 0
    assert set(dispositions(state).values()) == {"open"}
    assert mark("--undo")[0] == 2
    undone = rows(state, "SELECT undoes, complete FROM decisions ORDER BY id")
    assert undone == [(None, 1), (None, 1), (2, 1), (1, 1)]


def test_undo_leaves_what_was_decided_since(mark, state):
    mark("reviewed", "one.com", "two.co.uk")  # two decisions
    mark("noticed", "https://two.co.uk/*")
    with closing(sqlite3.connect(state / FILE_NAME)) as connection, connection:
        connection.execute(
            "UPDATE sightings SET disposition = 'open' WHERE url = 'https://two.co.uk/a.jpg'"
            " AND picture_id = 1"
        )  # as an answer does that shows a returned copy
    code, said = mark("--undo")
    assert code == 0
    assert "1 match: 1 reviewed again; other decisions are kept: 1 open" in said


WORDS = [str(word) for word in Disposition if word is not Disposition.ALLOWED]
DECISIONS = st.lists(
    st.tuples(st.sampled_from(WORDS), st.sampled_from(["one.com", "*/a.jpg", "two.co.uk"])),
    max_size=5,
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(DECISIONS)
def test_as_many_undos_as_decisions_leave_everything_as_it_was(mark, state, decisions):
    before = dispositions(state)
    first = len(rows(state, "SELECT * FROM decisions WHERE undoes IS NULL"))
    for word, site in decisions:
        mark(word, site, "--force")
    for _ in range(len(rows(state, "SELECT * FROM decisions WHERE undoes IS NULL")) - first):
        assert mark("--undo")[0] == 0
    assert dispositions(state) == before
