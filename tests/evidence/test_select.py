from __future__ import annotations

import os

import pytest

from batchscan.errors import UsageError
from batchscan.evidence.select import select_pictures
from tests.support.evidence_ledgers import answer, answered, image
from tests.support.inside import connection_of
from tests.support.pictures import tree


@pytest.fixture
def known(ledger):
    """Some pictures by name."""
    urls = {
        "a": ("https://example.com/1", "https://www.example.co.uk/1"),
        "b": ("https://shop.example.com/2",),
        "c": ("https://notexample.com/3",),
        "d": (),
    }
    return {
        name: answered(ledger, image(f"/p/{name}.png", name.encode()), answer(*there))
        for name, there in urls.items()
    }


def test_a_domain_is_every_picture_with_a_match_there_or_below(ledger, known):
    assert set(select_pictures(ledger, ["example.com"], [])) == {known["a"], known["b"]}
    assert select_pictures(ledger, ["shop.example.com"], []) == [known["b"]]
    assert select_pictures(ledger, ["example.co.uk"], []) == [known["a"]]


def test_pictures_that_are_asked_for_twice_are_chosen_once_in_the_order_of_their_content(
    ledger, known
):
    chosen = select_pictures(ledger, ["example.com", "notexample.com"], ["/p/a.png"])

    by_content = sorted("abc", key=lambda name: image("", name.encode()).sha256)
    assert chosen == [known[name] for name in by_content]


def test_a_picture_is_known_by_where_it_was_and_by_what_is_there_now(
    ledger, known, tmp_path, monkeypatch
):
    tree(tmp_path, {"moved.png": b"a", "p/other.png": b"unknown"})
    monkeypatch.chdir(tmp_path)

    assert select_pictures(ledger, [], ["/p/a.png"]) == [known["a"]]
    assert select_pictures(ledger, [], ["moved.png"]) == [known["a"]]


def test_two_contents_that_were_at_one_path_are_both_meant(ledger, known):
    later = answered(ledger, image("/p/a.png", b"another"), answer("https://example.com/9"))

    assert set(select_pictures(ledger, [], ["/p/a.png"])) == {known["a"], later}


def test_a_domain_without_matches_is_reported_with_those_that_come_nearest(ledger, known):
    with pytest.raises(UsageError, match=r"no answer ever showed a match on exmple\.com") as caught:
        select_pictures(ledger, ["exmple.com"], [])
    near = "example.com, notexample.com, example.co.uk"
    assert caught.value.advice == f"the nearest that it knows: {near}"


def test_a_picture_without_matches_is_distinguished_from_one_that_is_unknown(
    ledger, known, tmp_path
):
    with pytest.raises(UsageError, match=r"no answer ever showed a match of '/p/d.png'"):
        select_pictures(ledger, [], ["/p/d.png"])
    with pytest.raises(UsageError, match=r"no answer about '/p/e.png'"):
        select_pictures(ledger, [], ["/p/e.png"])


def test_an_unknown_path_is_reported_with_those_of_its_name_and_of_its_folder(ledger, tmp_path):
    picture = answered(ledger, image("/p/q/a.png"), answer("https://example.com/1"))
    for folder, name in (("/p/q", "a.png"), ("/r", "b.png"), ("/r/s", "c.png")):
        _file(ledger, picture, folder, name)

    with pytest.raises(UsageError) as caught:
        select_pictures(ledger, [], ["/r/a.png"])
    assert caught.value.advice == "the nearest that it knows: /p/q/a.png, /r/b.png, /r/s/c.png"


def test_nothing_known_at_all_is_reported_with_where_else_to_look(ledger):
    for domains, images in ((["example.com"], []), ([], ["/p/a.png"])):
        with pytest.raises(UsageError) as caught:
            select_pictures(ledger, domains, images)
        assert "--state" in (caught.value.advice or "")


def test_hostile_words_are_reported_printably(ledger, known):
    for domains, images in ((["a\u202eb.com"], []), ([], ["/p/\x1b[31m\udcff.png"])):
        with pytest.raises(UsageError) as caught:
            select_pictures(ledger, domains, images)
        assert str(caught.value).isprintable()


def _file(ledger, picture: int, folder: str, name: str) -> None:
    raw = os.fsencode(folder)
    connection = connection_of(ledger)
    connection.execute("INSERT OR IGNORE INTO folders (path) VALUES (?)", (raw,))
    connection.execute(
        "INSERT INTO files SELECT 1, id, ?, 1, 1, 1, ?, NULL, NULL, NULL FROM folders WHERE path = ?",
        (os.fsencode(name), picture, raw),
    )
