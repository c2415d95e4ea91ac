from __future__ import annotations

import email
import email.policy
import shlex
import sqlite3
from contextlib import closing

import pytest

from batchscan.cli import main
from batchscan.enums import RecheckKind, RecheckVerdict
from batchscan.ledger import FILE_NAME, Ledger, Realm
from batchscan.ledger.match_choice import MatchChoice
from batchscan.ledger.recheck_types import Observation
from batchscan.model import Provenance
from batchscan.settings import Api
from batchscan.takedown import default_template
from tests.support.ledger_entries import NOW, enter, shown
from tests.support.pictures import jpeg

DAY = 86_400.0


@pytest.fixture
def state(tmp_path, monkeypatch):
    """A ledger with two pictures on three sites, none of them marked."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    ledger = Ledger.open(folder, Realm(Api().url, sandbox=False))
    gone = shown("https://example.com/gone.jpg")
    sunset = [
        shown("https://img.example.com/1.jpg", "https://example.com/page"),
        shown("https://example.com/2.jpg"),
        shown("https://other.org/3.jpg"),
    ]
    enter(ledger, "/pics/lakes/sunset.jpg", [*sunset, gone])
    enter(ledger, "/pics/lakes/sunset.jpg", sunset, generation=2, run="r2")
    stock = [shown("https://example.com/4.jpg"), shown("https://bbc.co.uk/5.jpg")]
    enter(ledger, "/pics/stock/b.jpg", stock, provenance=Provenance("Ann"))
    ledger.close()
    return folder


@pytest.fixture
def takedown(state, tmp_path, capsys):
    """Run the command with some words; gives its code, the drafts by name, and what it said."""

    def run(*words: str) -> tuple[int, dict[str, str], str]:
        folder = tmp_path / "drafts"
        code = main(["takedown", "--state", str(state), "--to", str(folder), *words])
        drafts = {path.name: path.read_text() for path in sorted(folder.glob("*"))}
        return code, drafts, "".join(capsys.readouterr())

    return run


@pytest.fixture
def mark(state, capsys):
    def run(*words: str) -> None:
        assert main(["mark", "reviewed", "--state", str(state), *words]) == 0
        capsys.readouterr()

    return run


def test_where_works_can_be_shown_there_is_a_mail_beside_the_text(takedown, mark, state):
    with closing(sqlite3.connect(state / FILE_NAME)) as ledger, ledger:
        ledger.execute(
            "INSERT OR REPLACE INTO portraits (picture_id, thumbnail, provenance)"
            " SELECT id, ?, '{}' FROM pictures",
            (jpeg(32, 24),),
        )
    mark("other.org")
    code, drafts, said = takedown("--form", "both")

    assert code == 0
    stems = ("other.org", "other.org.dsa")
    assert {*drafts} == {f"{stem}.{kind}" for stem in stems for kind in ("eml", "md", "txt")}
    assert "drafts/other.org.eml" in said
    for stem in stems:
        mail = email.message_from_string(drafts[f"{stem}.eml"], policy=email.policy.default)
        text, picture = mail.iter_parts()
        assert text.get_content().replace("\r\n", "\n") == drafts[f"{stem}.txt"]
        assert picture.get_content() == jpeg(32, 24)

    _, again, said = takedown("--form", "both")
    assert again == drafts
    assert "the draft exists already" in said


def test_every_site_with_reviewed_matches_gets_a_notice_in_two_formats(takedown, mark, tmp_path):
    mark("example.com", "other.org")
    code, drafts, said = takedown()

    assert code == 0
    assert [*drafts] == ["example.com.md", "example.com.txt", "other.org.md", "other.org.txt"]
    for name in ("example.com.md", "example.com.txt"):
        assert "https://img.example.com/1.jpg" in drafts[name]
        assert "https://example.com/page" in drafts[name]
        assert "sunset.jpg" in drafts[name]
        assert "b.jpg" in drafts[name]
        for other in ("3.jpg", "gone.jpg", "bbc.co.uk", "/pics/"):
            assert other not in drafts[name]
    assert f"{tmp_path / 'drafts' / 'example.com.md'}\n" in said
    assert "example.com: 3 matches of 2 pictures, drafted\n" in said
    assert "[YOUR NAME]: takedown.name\n" in said
    for site in ("example.com", "other.org"):
        only = f"--disposition reviewed --state {tmp_path / 'state'}"  # not what a scan finds later
        assert f"  batchscan mark noticed {site} {only}\n" in said
    assert "marks every match" not in said


def test_it_marks_nothing_and_changes_no_draft(takedown, mark):
    mark("other.org")
    first = takedown()
    second = takedown()

    assert second[1] == first[1]
    assert "the draft exists already" in second[2]


def test_only_the_sites_and_pictures_asked_for(takedown, mark):
    mark("example.com", "other.org")
    _, drafts, said = takedown("--domain", "img.example.com", "--images", "lakes/")

    assert [*drafts] == ["example.com.md", "example.com.txt"]
    assert "1 address in all" in drafts["example.com.txt"]
    assert "mark noticed img.example.com --disposition reviewed --images lakes/ --state " in said


def test_unreviewed_matches_are_left_out_and_counted(takedown, mark):
    mark("https://example.com/2.jpg")
    _, drafts, said = takedown()

    assert "https://example.com/2.jpg" in drafts["example.com.txt"]
    assert "https://example.com/4.jpg" not in drafts["example.com.txt"]
    assert "example.com: 1 match of 1 picture, drafted; 2 matches there are not reviewed\n" in said
    assert "batchscan mark noticed example.com --disposition reviewed --state " in said


@pytest.mark.parametrize(
    ("marked", "asked"),
    [
        (["example.com", "other.org", "bbc.co.uk"], []),
        (["https://example.com/2.jpg", "https://example.com/gone.jpg", "other.org"], []),
        (["example.com"], ["--domain", "img.example.com"]),
        (["example.com"], ["--images", "stock/"]),
        (["example.com"], ["--allow", "allow.yaml"]),
        (["https://example.com/2.jpg"], ["--domain", "https://example.com/*"]),
    ],
)
def test_the_commands_that_it_prints_mark_exactly_what_the_drafts_are_about(
    takedown, mark, state, monkeypatch, marked, asked
):
    tmp_path = state.parent
    monkeypatch.chdir(tmp_path)
    (tmp_path / "allow.yaml").write_text("- {domain: img.example.com, reason: our own}\n")
    mark(*marked)
    _, drafts, said = takedown(*asked)
    for line in said.splitlines():
        if line.startswith("  batchscan mark noticed"):
            assert main(shlex.split(line)[1:]) == 0

    with closing(sqlite3.connect(state / FILE_NAME)) as ledger:
        noticed = ledger.execute("SELECT url FROM sightings WHERE disposition = 'noticed'")
        written = "\n".join(text for name, text in drafts.items() if name.endswith(".txt"))
        every = ledger.execute("SELECT url FROM sightings").fetchall()
        assert {url for (url,) in noticed} == {url for (url,) in every if url in written}


def found_gone(state, url: str, *days: float) -> None:
    """Have its site say on some days that a match is gone."""
    ledger = Ledger.open(state, Realm(Api().url, sandbox=False))
    with ledger.transaction():
        places = [
            match.place for match in ledger.chosen_matches.find(MatchChoice([], [url.__eq__]))
        ]
        for day in days:
            run, _ = ledger.rechecks.begin("all", NOW + day * DAY, NOW + day * DAY)
            seen = Observation(
                RecheckKind.PICTURE, url, RecheckVerdict.GONE_ONCE, 404, None, NOW + day * DAY
            )
            ledger.rechecks.record(run, places[0], [seen], None, DAY)
    ledger.close()


def test_matches_that_the_last_recheck_found_gone_are_left_out_and_counted(
    takedown, mark, state, capsys
):
    mark("example.com")
    found_gone(state, "https://example.com/2.jpg", 1, 3)
    found_gone(state, "https://example.com/4.jpg", 1)  # only once: that may be a mistake
    _, drafts, said = takedown()
    for line in said.splitlines():
        if line.startswith("  batchscan mark noticed"):
            assert main(shlex.split(line)[1:]) == 0

    assert "https://example.com/2.jpg" not in drafts["example.com.txt"]
    assert "https://example.com/4.jpg" in drafts["example.com.txt"]
    assert "example.com: 1 reviewed match left out, as the last recheck found it gone" in said
    assert "left alone: 2 gone" in capsys.readouterr().out  # with the one that no answer shows
    with closing(sqlite3.connect(state / FILE_NAME)) as ledger:
        noticed = ledger.execute("SELECT url FROM sightings WHERE disposition = 'noticed'")
        assert sorted(url for (url,) in noticed) == [
            "https://example.com/4.jpg", "https://img.example.com/1.jpg",
        ]  # fmt: skip


def test_a_draft_for_the_european_union_is_beside_the_other(takedown, mark):
    mark("other.org")
    _, drafts, _ = takedown("--form", "both")

    names = ["other.org.dsa.md", "other.org.dsa.txt", "other.org.md", "other.org.txt"]
    assert [*drafts] == names
    assert "Regulation (EU) 2022/2065, article 16" in drafts["other.org.dsa.md"]
    assert "https://other.org/3.jpg" in drafts["other.org.dsa.txt"]


def test_what_is_allowed_gets_no_notice(takedown, mark, tmp_path):
    mark("example.com")
    rules = tmp_path / "allow.yaml"
    rules.write_text("- {domain: img.example.com, reason: our own}\n")
    _, drafts, _ = takedown("--allow", str(rules))

    assert "img.example.com" not in drafts["example.com.txt"]
    assert "https://example.com/2.jpg" in drafts["example.com.txt"]


def test_the_settings_name_the_complainant(takedown, mark, tmp_path):
    mark("other.org")
    own = tmp_path / "own.txt.j2"
    own.write_text("{{ name }} of {{ organization }} writes to {{ domain }}\n")
    (tmp_path / "c.yaml").write_text(
        "takedown: {name: Ann Example, organization: Ann Ltd, address: 'Main St. 1', phone: '1',\n"
        "  email: ann@example.net, role: owner, template_txt: own.txt.j2}\n"
    )
    _, drafts, said = takedown("-c", str(tmp_path / "c.yaml"))

    assert drafts["other.org.txt"] == "Ann Example of Ann Ltd writes to other.org\n"
    assert "Owner of the works: Ann Ltd\n" in drafts["other.org.md"]
    assert "Blanks in the drafts" not in said


def test_a_broken_template_is_named_and_nothing_is_written(takedown, mark, tmp_path):
    mark("other.org")
    (tmp_path / "own.j2").write_text("\n{{ nobody }}\n")
    (tmp_path / "c.yaml").write_text("takedown: {template_md: own.j2}\n")
    code, drafts, said = takedown("-c", str(tmp_path / "c.yaml"))

    assert (code, drafts) == (2, {})
    assert f"{tmp_path / 'own.j2'} line 2: 'nobody' is undefined" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "no match is marked reviewed: 5 open, 1 gone"),
        (["--domain", "example.com"], "no match on example.com is marked reviewed: 3 open, 1 gone"),
        (["--domain", "exampel.com"], "did you mean example.com?"),
        (["--domain", "bbc.co.uk", "--images", "lakes/"], "of pictures like lakes/ is known"),
        (["--domain", "a:b"], "'a:b' is neither a domain nor a URL"),
    ],
)
def test_without_a_draft_the_reason_is_given(takedown, words, said):
    code, drafts, text = takedown(*words)

    assert (code, drafts) == (2, {})
    assert said in text


def test_one_wrong_site_among_others_writes_nothing(takedown, mark):
    mark("example.com")
    code, drafts, _ = takedown("--domain", "example.com", "--domain", "nowhere.net")

    assert (code, drafts) == (2, {})


def test_a_folder_must_be_named(state, capsys):
    assert main(["takedown", "--state", str(state)]) == 2
    assert "--to DIR" in capsys.readouterr().err


def test_the_templates_can_be_had_without_a_ledger(capsys):
    for suffix in ("md", "txt", "dsa.md", "dsa.txt"):
        assert main(["takedown", "--show-template", suffix, "--state", "/nowhere"]) == 0
        assert capsys.readouterr().out == default_template(f".{suffix}")
