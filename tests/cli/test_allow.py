"""`batchscan allow` over a ledger with three matches of two pictures."""

from __future__ import annotations

import json
import os

import pytest

from batchscan.cli import main
from batchscan.ledger import Ledger, Realm
from batchscan.settings import Api
from tests.support.ledgers import answer, image
from tests.support.settling import settle

IDLE = (
    "Covering nothing: 1. The copies may be gone, or the rule may be misspelt: a URL without * is "
    "one address only."
)
STOCK = b"/srv/stock/\xe9.jpg"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home with a ledger, and no settings of the developer's."""
    for name, folder in {"XDG_CONFIG_HOME": "config", "XDG_STATE_HOME": "state"}.items():
        monkeypatch.setenv(name, str(tmp_path / folder))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("BATCHSCAN_CONFIG", raising=False)
    state = tmp_path / "state" / "batchscan"
    state.mkdir(parents=True, mode=0o700)
    ledger = Ledger.open(state, Realm(Api().url, sandbox=False))
    with ledger.transaction():
        for path, content, urls in (
            (
                os.fsdecode(STOCK),
                b"1",
                ["https://www.example.com/a", "https://example.net/press/b"],
            ),
            ("/srv/own/b.jpg", b"2", ["https://example.com/c"]),
        ):
            picture = image(path, content)
            claim = ledger.claims.open(picture, 1, "r1", 1000.0)
            settle(ledger, claim, answer(*urls), "r1")
            ledger.files.upsert(path, picture.stat, picture_id=claim.picture_id)
    ledger.close()
    return tmp_path


@pytest.fixture
def rules(home):
    return home / "config" / "batchscan" / "allow.yaml"


def test_a_rule_is_added_beside_the_users_settings_and_shows_what_it_covers(home, rules, capsys):
    assert main(["allow", "add", "example.com", "--reason", "our own site"]) == 0
    said = capsys.readouterr()

    assert said.err == ""
    assert said.out.splitlines() == [
        f"added to {rules}:",
        "  example.com",
        "  our own site",
        "It covers 2 of 3 current matches.",
    ]
    assert rules.read_text() == '- domain: "example.com"\n  reason: "our own site"\n'


def test_a_rule_may_say_for_which_pictures_who_and_until_when(home, rules, capsys):
    words = ["--reason", "x", "--images", "stock/", "--by", "Ann", "--until", "2999-12-31"]
    assert main(["allow", "add", "https://example.net/press/*", *words]) == 0
    said = capsys.readouterr().out

    assert "  https://example.net/press/*, pictures stock/\n  x; by Ann; until 2999-12-31" in said
    assert "It covers 1 of 3 current matches" in said
    assert "until: 2999-12-31\n" in rules.read_text()


@pytest.mark.parametrize(
    ("words", "covers"),
    [
        (["--images", "stock/"], 2),
        (["--images", "?.jpg"], 3),
        (["--sha256", image(content=b"2").sha256], 1),
        (["example.com", "--sha256", image(content=b"1").sha256], 1),
        (["example.org"], 0),
    ],
)
def test_a_rule_is_about_sites_pictures_or_both(home, capsys, words, covers):
    assert main(["allow", "add", *words, "--reason", "x"]) == 0
    assert f"It covers {covers} of 3 current matches" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["example.com"], "Missing option '--reason'"),
        (["example.com", "--reason", " "], "--reason: it is empty"),
        (["--reason", "x"], "the rule would cover everything"),
        (["a b", "--reason", "x"], "'a b' is neither a domain nor a URL"),
        (["a.com", "--reason", "x", "--until", "2020-02-30"], "--until: no such day"),
        (["--sha256", "abc", "--reason", "x"], "--sha256: found 'abc'; allowed: 64 hexa"),
        (["--images", "!stock/", "--reason", "x"], "--images: pattern '!stock/'"),
        (["a.com", "--reason", "\x1b[2J", "--by", ""], "--by: it is empty"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_and_nothing_is_written(
    home, rules, capsys, words, message
):
    assert main(["allow", "add", *words]) == 2
    said = capsys.readouterr()

    assert said.out == ""
    assert message in said.err
    assert not rules.exists()


def test_a_rule_whose_date_is_past_is_added_with_a_warning(home, rules, capsys):
    assert main(["allow", "add", "example.com", "--reason", "x", "--until", "2020-02-29"]) == 0
    said = capsys.readouterr()

    assert "2020-02-29 is in the past, so this rule covers nothing" in said.err
    assert "It covers 0 of 3 current matches" in said.out
    assert "until: 2020-02-29\n" in rules.read_text()


def test_the_list_speaks_of_one_rule_as_one(home, rules, capsys):
    rules.parent.mkdir(parents=True)
    rules.write_text("- {domain: example.com, reason: ours}\n")
    assert main(["allow", "list"]) == 0

    assert capsys.readouterr().out.splitlines()[:2] == [
        f"{rules}: 1 rule",
        "It covers 2 of 3 current matches.",
    ]


def test_the_list_shows_what_each_rule_covers_and_which_are_past_or_idle(home, rules, capsys):
    rules.parent.mkdir(parents=True)
    rules.write_text(
        "- {domain: example.com, reason: ours, by: Ann}\n"
        "- {images: stock/, reason: licensed}\n"
        '- {domain: example.net, reason: "old\\e[2J", until: 2020-01-01}\n'
        "- {domain: example.org, reason: none}\n"
    )
    assert main(["allow", "list"]) == 0
    said = capsys.readouterr()

    assert said.err == ""
    assert said.out.splitlines() == [
        f"{rules}: 4 rules",
        "They cover 3 of 3 current matches.",
        "        2  example.com",
        "           ours; by Ann",
        "        2  pictures stock/",
        "           licensed",
        "        0  past its date: example.net",
        r"           old\x1b[2J; until 2020-01-01",
        "        0  covers nothing: example.org",
        "           none",
        "Past their date: 1. Remove them from the file, or set another date.",
        IDLE,
    ]


def test_the_list_for_programs_holds_the_rules_and_their_counts(home, rules, capsysbinary):
    rules.parent.mkdir(parents=True)
    rules.write_text(
        '# ours\n- url: https://example.net/*\n  images: stock/\n  reason: "\\ud800\\u202e"\n'
        f"- sha256: '{'0' * 64}'\n  reason: x\n  by: Ann\n  until: 2020-01-01\n"
    )
    assert main(["allow", "list", "--json"]) == 0
    data = capsysbinary.readouterr().out

    assert b"\xe2\x80\xae" not in data
    empty = dict.fromkeys(["domain", "url", "images", "sha256", "by", "until"])
    assert json.loads(data) == {
        "file": str(rules),
        "matches": 3,
        "allowed": 1,
        "rules": [
            {
                **empty,
                "line": 2,
                "url": "https://example.net/*",
                "images": "stock/",
                "reason": "\ufffd\u202e",
                "expired": False,
                "covers": 1,
            },
            {
                **empty,
                "line": 5,
                "sha256": "0" * 64,
                "reason": "x",
                "by": "Ann",
                "until": "2020-01-01",
                "expired": True,
                "covers": 0,
            },
        ],
    }


def test_without_rules_the_list_says_how_to_add_one(home, rules, capsys):
    assert main(["allow", "list"]) == 0
    said = capsys.readouterr().out

    assert said.startswith(f"{rules}: 0 rules\n")
    assert "batchscan allow add example.com --reason" in said


def test_a_file_that_was_named_is_made_by_add_and_must_be_there_for_list(home, capsys):
    named = home / "rights" / "rules.yaml"
    assert main(["allow", "list", "--allow", str(named)]) == 2
    assert "rules.yaml: cannot be read: No such file" in capsys.readouterr().err
    assert main(["allow", "add", "a.com", "--reason", "x", "--allow", str(named)]) == 0
    assert main(["allow", "list", "--allow", str(named)]) == 0
    assert "covers nothing: a.com" in capsys.readouterr().out


def test_rules_are_beside_the_settings_file_and_never_come_from_the_working_folder(
    home, monkeypatch, capsys
):
    for folder in ("etc", "here"):
        (home / folder).mkdir()
    (home / "etc" / "b.yaml").touch()
    (home / "here" / "allow.yaml").write_text("- {domain: evil.test, reason: x}")
    monkeypatch.chdir(home / "here")
    assert main(["allow", "add", "a.com", "--reason", "x", "-c", "../etc/b.yaml"]) == 0
    assert main(["allow", "list"]) == 0

    assert "evil.test" not in capsys.readouterr().out
    assert (home / "etc" / "allow.yaml").exists()


def test_without_a_ledger_there_are_no_matches_and_none_is_made(home, capsys):
    state = home / "elsewhere"
    assert main(["allow", "add", "a.com", "--reason", "x", "--state", str(state)]) == 0
    assert "It covers 0 of 0 current matches" in capsys.readouterr().out
    assert not state.exists()


def test_a_public_suffix_is_no_site_that_could_be_allowed(tmp_path, capsys):
    rules = tmp_path / "allow.yaml"
    words = ["--allow", str(rules), "--reason", "ours", "--state", str(tmp_path / "state")]
    assert main(["allow", "add", "co.uk", *words]) == 2
    assert "'co.uk' is not a site" in capsys.readouterr().err
    assert not rules.exists()
