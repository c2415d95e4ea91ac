"""What the ledger keeps of matches from answer to answer."""

from __future__ import annotations

import sqlite3
import zlib
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.enums import Disposition, MatchKind, MatchState
from batchscan.ledger import (
    FILE_NAME,
    Everything,
    Ledger,
    OfRun,
    Perspective,
    ReportView,
    ThisProcess,
)
from batchscan.ledger.schema import MIGRATIONS
from batchscan.model import Match
from batchscan.report.html_pictures import rank
from batchscan.report.match_counts import counts_of
from batchscan.result_fields import match_fields
from batchscan.runs.rebuild import with_history
from tests.support.inside import connection_of
from tests.support.ledgers import REAL, answer, digest, image, settled
from tests.support.settling import settle

ONE, TWO, THREE = (f"https://{word}.example.com/a.jpg" for word in ("one", "two", "three"))
CONTENT = image()


def ask(ledger: Ledger, run: str, *urls: str, generation: int, at: float) -> int:
    claim = ledger.claims.open(CONTENT, generation, run, at)
    settle(ledger, claim, answer(*urls, at=at), run)
    ledger.files.upsert(CONTENT.path, CONTENT.stat, picture_id=claim.picture_id)
    ledger.report_pictures.add(claim.picture_id, CONTENT.path, fresh=True)
    ledger.history.own = Perspective((run,))
    return claim.picture_id


def states(ledger: Ledger, picture: int = 1) -> dict[str, str]:
    return {each.url: str(each.state) for each in ledger.history.matches_of(picture).values()}


def mark(ledger: Ledger, url: str, disposition: Disposition) -> None:
    connection_of(ledger).execute(
        "UPDATE sightings SET disposition = ? WHERE url = ?", (disposition.value, url)
    )


def test_a_first_answer_that_cannot_be_entered_whole_is_not_entered_in_part(ledger):
    connection = connection_of(ledger)
    connection.execute(
        f"CREATE TEMP TRIGGER full_disk BEFORE INSERT ON sightings WHEN NEW.url = '{TWO}'"
        " BEGIN SELECT RAISE(FAIL, 'full'); END"
    )
    with pytest.raises(sqlite3.IntegrityError, match="full"), ledger.transaction():
        ask(ledger, "r1", ONE, TWO, generation=1, at=1000.0)
    counts = "SELECT (SELECT count(*) FROM sightings), (SELECT count(*) FROM answers)"
    assert connection.execute(counts).fetchone() == (0, 0)


def test_matches_that_are_there_before_any_answer_return_with_the_first(ledger):
    picture = ask(ledger, "r1", ONE, generation=1, at=1000.0)
    connection_of(ledger).execute("UPDATE pictures SET answer_id = NULL")
    ask(ledger, "r2", ONE, TWO, generation=2, at=2000.0)

    assert states(ledger, picture) == {ONE: "returned", TWO: "new"}


def test_a_first_answer_shows_what_is_new(ledger):
    picture = ask(ledger, "r1", ONE, TWO, generation=1, at=1000.0)

    assert states(ledger, picture) == {ONE: "new", TWO: "new"}
    match = next(iter(ledger.history.matches_of(picture).values()))
    assert (match.first_seen, match.last_seen) == (1000.0, 1000.0)
    assert match.disposition is Disposition.OPEN


def test_matches_become_known_gone_and_returned(ledger):
    ask(ledger, "r1", ONE, TWO, generation=1, at=1000.0)
    ask(ledger, "r2", ONE, THREE, generation=2, at=2000.0)
    assert states(ledger) == {ONE: "known", TWO: "gone", THREE: "new"}

    ask(ledger, "r3", ONE, TWO, generation=3, at=3000.0)
    assert states(ledger) == {ONE: "known", TWO: "returned", THREE: "gone"}

    ask(ledger, "r4", ONE, TWO, generation=4, at=4000.0)
    assert states(ledger) == {ONE: "known", TWO: "known", THREE: "gone"}
    seen = {each.url: each for each in ledger.history.matches_of(1).values()}
    assert (seen[TWO].first_seen, seen[TWO].last_seen) == (1000.0, 4000.0)
    assert (seen[THREE].first_seen, seen[THREE].last_seen) == (2000.0, 2000.0)


def test_a_run_without_requests_has_nothing_new_to_report(ledger):
    ask(ledger, "r1", ONE, generation=1, at=1000.0)
    ledger.history.own = Perspective(("r2",))

    assert states(ledger) == {ONE: "known"}
    assert digest(ledger, "r2").alarms.new == 0


def test_a_run_reports_the_news_of_the_killed_runs_before_it(ledger):
    ask(ledger, "killed", ONE, generation=1, at=1000.0)
    ledger.history.own = Perspective(("r2", "killed"))

    assert states(ledger) == {ONE: "new"}


@pytest.mark.parametrize(
    "again",
    [
        "http://one.example.com/a.jpg",
        "https://ONE.example.com:443/a.jpg#top",
        "https://one.example.com/b/../%61.jpg",
    ],
)
def test_another_way_to_write_a_url_is_the_same_match(ledger, again):
    ask(ledger, "r1", ONE, generation=1, at=1000.0)
    ask(ledger, "r2", again, generation=2, at=2000.0)

    assert states(ledger) == {again: "known"}


def test_a_url_that_an_answer_shows_twice_is_one_match(ledger):
    ask(ledger, "r1", ONE, f"{ONE}#again", generation=1, at=1000.0)

    assert states(ledger) == {ONE: "new"}
    assert digest(ledger, "r1").matches.total == 1


def test_a_change_of_kind_is_kept_and_is_not_reported_as_new(ledger):
    ask(ledger, "r1", ONE, generation=1, at=1000.0)
    claim = ledger.claims.open(CONTENT, 2, "r2", 2000.0)
    partial = replace(answer(at=2000.0), matches=(Match(ONE, MatchKind.PARTIAL, (), "x"),))
    settle(ledger, claim, partial, "r2")
    ledger.history.own = Perspective(("r2",))

    [found] = ledger.history.matches_of(1).values()
    assert (found.kind, found.state) == (MatchKind.PARTIAL, MatchState.KNOWN)


LASTING = [d for d in Disposition if d not in (Disposition.ALLOWED, Disposition.REMOVED)]


def test_a_copy_that_is_shown_after_it_was_removed_is_an_open_case(ledger):
    ask(ledger, "r1", ONE, generation=1, at=1000.0)
    mark(ledger, ONE, Disposition.REMOVED)
    ask(ledger, "r2", ONE, generation=2, at=2000.0)

    [found] = ledger.history.matches_of(1).values()
    assert (found.state, found.disposition) == (MatchState.KNOWN, Disposition.OPEN)


def test_two_ways_to_write_a_url_are_its_worst_kind_with_the_pages_of_both(ledger):
    claim = ledger.claims.open(CONTENT, 1, "r1", 1000.0)
    twice = (
        Match("http://x.example.com/a", MatchKind.PARTIAL, ("https://p.example/1",), "example.com"),
        Match("https://x.example.com/a", MatchKind.FULL, ("https://p.example/2",), "example.com"),
    )
    settle(ledger, claim, replace(answer(at=1000.0), matches=twice), "r1")

    [found] = ledger.history.matches_of(claim.picture_id).values()
    assert found.kind is MatchKind.FULL
    assert found.pages == ("https://p.example/1", "https://p.example/2")


@pytest.mark.parametrize("disposition", LASTING)
def test_a_disposition_stays_while_the_match_does(ledger, disposition):
    ask(ledger, "r1", ONE, generation=1, at=1000.0)
    mark(ledger, ONE, disposition)
    ask(ledger, "r2", ONE, generation=2, at=2000.0)

    assert next(iter(ledger.history.matches_of(1).values())).disposition is disposition


@pytest.mark.parametrize(
    ("before", "after"),
    [("noticed", "open"), ("removed", "open"), ("reviewed", "reviewed"), ("not_mine", "not_mine")],
)
def test_a_copy_that_comes_back_is_an_open_case_again(ledger, before, after):
    ask(ledger, "r1", ONE, generation=1, at=1000.0)
    mark(ledger, ONE, Disposition(before))
    ask(ledger, "r2", generation=2, at=2000.0)
    ask(ledger, "r3", ONE, generation=3, at=3000.0)

    [found] = ledger.history.matches_of(1).values()
    assert (found.state, found.disposition) == (MatchState.RETURNED, after)


def test_what_is_allowed_stays_in_every_total_and_leaves_worklist_and_alarms(ledger):
    ask(ledger, "r1", ONE, TWO, THREE, generation=1, at=1000.0)
    mark(ledger, THREE, Disposition.NOT_MINE)

    def allows(url: str, sha256: str, paths) -> bool:
        assert sha256 == CONTENT.sha256
        assert tuple(paths) == (CONTENT.path.encode(),)
        return url == ONE

    counted = []
    view = ledger.view(ThisProcess(), ["r1"], allows)
    found = view.summary(lambda url, *_: counted.append(url), tuple)

    assert sorted(counted) == sorted([ONE, TWO, THREE])
    assert (found.matches.total, found.matches.new) == (3, 3)
    assert (found.matches.allowed, found.matches.worklist) == (1, 1)
    assert (found.alarms.new, found.alarms.full, found.alarms.total) == (1, 1, 1)
    assert (found.domains[0].allowed, found.domains[0].worklist) == (1, 1)
    dispositions = {each.url: each.disposition for each in view.matches_of(1).values()}
    assert dispositions == {ONE: "allowed", TWO: "open", THREE: "not_mine"}


def test_an_answer_gets_what_its_history_says_and_what_is_gone_from_it(ledger):
    ask(ledger, "r1", ONE, TWO, generation=1, at=1000.0)
    ask(ledger, "r2", THREE, ONE, generation=2, at=2000.0)
    shown = with_history(answer(THREE, ONE), ledger.history.matches_of(1))

    assert [(fields.url, fields.state) for fields in match_fields(shown)[:2]] == [
        (THREE, "new"),
        (ONE, "known"),
    ]
    assert [(m.url, m.state, m.last_seen) for m in shown.gone] == [(TWO, "gone", 1000.0)]


def test_a_run_is_seen_again_by_the_pictures_it_kept(ledger):
    ask(ledger, "r1", ONE, TWO, generation=1, at=1000.0)
    before, kept = digest(ledger, "r1"), ledger.view(ThisProcess()).matched()

    assert digest(ledger, "r1", scope=OfRun("r1", kept)) == before
    assert digest(ledger, "r1", scope=OfRun("r2", None)).matches.total == 0
    assert digest(ledger, "r1", scope=Everything()).matches == before.matches


def test_what_the_opener_sees_depends_on_nothing_that_was_asked_before(ledger):
    picture = ask(ledger, "r1", ONE, THREE, generation=1, at=1000.0)
    ask(ledger, "r2", ONE, TWO, generation=2, at=2000.0)
    expected = {ONE: "known", TWO: "new", THREE: "gone"}
    assert states(ledger, picture) == expected

    for news in ((), ("r1",), ("r1", "r2")):
        list(ledger.view(Everything(), news).pictures())
        assert states(ledger, picture) == expected
        [realm] = ledger.stats.realms([0.0], news)
        assert realm.matches.get("new", {}).get("open", 0) == len(news)
        assert states(ledger, picture) == expected


def test_what_a_view_answers_depends_on_no_other_one(ledger):
    picture = ask(ledger, "r1", ONE, TWO, generation=1, at=1000.0)
    ask(ledger, "r2", ONE, THREE, generation=2, at=2000.0)
    other = settled(ledger, "/p/other.png", b"other", urls=(TWO,))
    views = [
        ledger.view(scope, news_of, allows)
        for scope in (ThisProcess(), Everything(), OfRun("r1", None))
        for news_of in (["r1"], ["r2"])
        for allows in (None, lambda url, *_: url == ONE)
    ]

    def asked(view: ReportView) -> list[object]:
        return [
            view.facets(),
            view.summary(lambda *_: None, tuple),
            list(view.pictures()),
            list(view.pictures(most=1)),
            [list(each.matches) for each in view.pictures(streamed=True)],
            view.matches_of(picture),
            view.reported_runs(),
            view.matched(),
        ]

    alone = [asked(view) for view in views]
    mixed = [list(answers) for answers in zip(*(asked(view) for view in views), strict=True)]
    questions = (
        lambda view: view.facets(),
        lambda view: view.summary(lambda *_: None, tuple),
        lambda view: list(view.pictures()),
        lambda view: list(view.pictures(most=1)),
        lambda view: [list(each.matches) for each in view.pictures(streamed=True)],
        lambda view: view.matches_of(picture),
        lambda view: view.reported_runs(),
        lambda view: view.matched(),
    )
    turns = [[question(view) for view in views] for question in questions]

    assert [list(answers) for answers in zip(*alone, strict=True)] == mixed == turns
    assert len({repr(answers) for answers in alone}) > 6
    ledger.report_pictures.add(2, other.path, fresh=False)  # what is seen later, is seen
    assert views[0].summary(lambda *_: None, tuple).matches.total == 3


def test_the_first_matches_are_those_that_a_page_shows_first(ledger):
    urls = [f"https://s{n}.example.com/{n}.jpg" for n in range(40)]
    picture = ask(ledger, "r1", *urls[:30], generation=1, at=1000.0)
    ask(ledger, "r2", *urls[10:], generation=2, at=2000.0)
    kinds, decided = ("full", "partial", "other"), ("open", "noticed", "reviewed", "removed")
    for number, url in enumerate(urls):
        connection_of(ledger).execute(
            "UPDATE sightings SET kind = ?, disposition = ? WHERE url = ?",
            (kinds[number % 3], decided[number % 4], url),
        )
    view = ledger.view(Everything(), ["r2"], lambda url, *_: url in urls[::7])
    [whole] = view.pictures()
    in_order = sorted(whole.matches, key=rank)

    for most in (1, 7, 25, 40):
        [some] = view.pictures(most=most)
        assert list(some.matches) == in_order[:most]
        assert some.counts == (None if most == 40 else counts_of(whole.matches))
    [streamed] = view.pictures(streamed=True)
    assert tuple(streamed.matches) == whole.matches == tuple(streamed.matches[:])
    unsorted = ledger.history.each_of(picture, ledger.history.own, many=True)
    assert list(unsorted) == list(ledger.history.each_of(picture, ledger.history.own))
    mark(ledger, urls[0], Disposition.OPEN)
    ask(ledger, "r3", *urls, generation=3, at=3000.0)  # counted anew, as something has changed
    [after] = view.pictures(most=1)
    assert after.counts == counts_of(tuple(view.matches_of(picture).values()))
    present = ledger.history.each_of(picture, ledger.history.own, many=True, gone=False)
    assert list(present) == list(ledger.history.each_of(picture, ledger.history.own))


def test_pictures_are_found_whole_with_the_new_ones_first(ledger):
    ask(ledger, "r1", ONE, TWO, THREE, generation=1, at=1000.0)
    other = image("/p/new.png", b"another content")
    claim = ledger.claims.open(other, 1, "r2", 2000.0)
    matches = (Match(ONE, MatchKind.PARTIAL, ("https://p.example.com/",), "example.com"),)
    settle(ledger, claim, replace(answer(at=2000.0), matches=matches), "r2")
    ledger.files.upsert(other.path, other.stat, picture_id=claim.picture_id)
    ledger.previews.put(claim.picture_id, b"webp", b'{"creator":"Ann"}')
    first, second = ledger.view(Everything(), ["r2"]).pictures()

    assert (first.path, first.sha256, first.thumbnail) == (b"/p/new.png", other.sha256, b"webp")
    assert first.provenance is not None
    assert first.provenance.creator == "Ann"
    assert first.matches[0].pages == ("https://p.example.com/",)
    assert Counter(match.state for match in second.matches) == {MatchState.KNOWN: 3}


@given(
    st.lists(st.sets(st.sampled_from(range(6))), min_size=1, max_size=8),
)
def test_whatever_the_answers_show_every_match_has_the_state_that_they_say(
    tmp_path_factory, answers
):
    ledger = Ledger.open(tmp_path_factory.mktemp("state"), REAL)
    urls = [f"https://site{number}.example.com/" for number in range(6)]
    for number, shown in enumerate(answers, 1):
        ask(ledger, f"r{number}", *(urls[n] for n in shown), generation=number, at=float(number))
    found = states(ledger)
    ledger.close()

    *earlier, last = answers
    ever = set().union(*earlier) if earlier else set()
    before = earlier[-1] if earlier else set()
    for number, url in enumerate(urls):
        if number in last:
            expected = "known" if number in before else "returned" if number in ever else "new"
            assert found[url] == expected
        else:
            assert found.get(url) == ("gone" if number in ever else None)


def test_a_ledger_of_the_second_version_keeps_its_matches_with_their_pages(tmp_path):
    body = (
        b'{"matches": {"internet": [{"url": "http://one.example.com:80/a.jpg", "matchType": 1,'
        b' "webPages": [{"url": "https://two.example.com/page"}]},'
        b' {"url": "https://ONE.example.com/a.jpg", "matchType": 0,'
        b' "webPages": [{"url": "https://one.example.com/page"}]}], "score": {}}}'
    )
    old = sqlite3.connect(tmp_path / FILE_NAME)
    for migration in MIGRATIONS[:2]:
        old.executescript(migration)
    old.executescript("PRAGMA user_version = 2")
    old.execute("INSERT INTO realms VALUES (1, ?, 0)", (REAL.api_url,))
    old.execute("INSERT INTO pictures VALUES (1, 1, x'ab', 10, 'png', 8, 6, 1, NULL)")
    values = ("bs-1", "old-run", 1000.0, zlib.compress(body))
    old.execute("INSERT INTO answers VALUES (1, 1, 1, ?, ?, ?, 1, ?)", values)
    url = "https://ONE.example.com/a.jpg"
    old.execute("INSERT INTO matches VALUES (1, ?, 'full', 'example.com')", (url,))
    old.commit()
    old.close()
    ledger = Ledger.open(tmp_path, REAL)
    [(key, found)] = ledger.history.matches_of(1).items()
    ledger.close()

    assert key == "one.example.com/a.jpg"
    assert found.kind is MatchKind.FULL  # the worst of the two ways to write it
    assert found.pages == ("https://two.example.com/page", "https://one.example.com/page")
    assert (found.state, found.first_seen) == (MatchState.KNOWN, 1000.0)


def test_a_first_answer_has_the_history_that_a_look_into_it_says(ledger):
    claim = ledger.claims.open(image(), 1, "r1", 0.0)
    said = answer(ONE, "https://b.example.com/", "https://c.example.com/", at=1000.0)
    settle(ledger, claim, said, "r1")
    ledger.history.own = Perspective(("r1",), lambda url, *_: url == ONE)
    placed = ledger.history.placed_first(claim.picture_id, said.matches)
    looked_up = {each.url: each for each in ledger.history.matches_of(claim.picture_id).values()}
    assert {each.url: each for each in placed} == looked_up
    assert [each.disposition for each in placed] == ["allowed", "open", "open"]
