"""From events to messages: every event in exactly one message of each target."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from batchscan.alerts import MAX_MATCHES, make_messages
from batchscan.alerts.batching import grouped
from batchscan.alerts.digest import Digest, read_message
from batchscan.alerts.payload import MAX_PAGES
from batchscan.enums import Disposition, MatchKind
from batchscan.ledger import Ledger
from batchscan.ledger.decision_types import Choice, Decision, MarkResult
from batchscan.model import Match
from tests.support.inside import connection_of
from tests.support.ledger_entries import NOW, enter, shown
from tests.support.ledgers import REAL

TARGETS = ("webhook", "command")


def make(ledger: Ledger, targets: Sequence[str] = TARGETS, *, allows=None, first=True, now=NOW):
    with ledger.transaction():
        make_messages(ledger, targets, allows=allows, first_answers=first, now=now)


def bodies(ledger: Ledger, target: str = "webhook") -> list[dict[str, Any]]:
    """What waits for a target, in the order in which it is sent."""
    found, after = [], 0.0
    while message := ledger.outbox.next_pending(target, after):
        found.append(json.loads(message.body))
        assert found[-1]["id"] == message.id
        assert len(found[-1]["matches"]) == message.matches
        after = message.made_at
    return found


def told(ledger: Ledger, target: str = "webhook") -> list[tuple[str, str, str, str | None]]:
    return [
        (match["path"], match["url"], match["state"], match["was"])
        for body in bodies(ledger, target)
        for match in body["matches"]
    ]


A, B, C = (f"https://{word}.example.com/x.jpg" for word in "abc")


def partial(url: str) -> Match:
    return shown(url, kind=MatchKind.PARTIAL)


def test_a_message_holds_what_one_run_found_the_full_copies_first(ledger):
    enter(ledger, "/p/1.jpg", [partial(A), shown(B, "https://b.example.com/page")])
    enter(ledger, "/p/2.jpg", [shown(C)])
    make(ledger)
    [body] = bodies(ledger)

    assert {name: body[name] for name in ("schema", "run_id", "event", "part", "parts")} == {
        "schema": 1, "run_id": "r1", "event": "new_matches", "part": 1, "parts": 1,
    }  # fmt: skip
    assert [(match["path"], match["url"]) for match in body["matches"]] == [
        ("/p/1.jpg", B), ("/p/2.jpg", C), ("/p/1.jpg", A),
    ]  # fmt: skip
    first = body["matches"][0]
    assert first["sha256"] == hashlib.sha256(b"/p/1.jpg").hexdigest()
    assert first["pages"] == ["https://b.example.com/page"]
    assert (first["kind"], first["state"], first["was"]) == ("full", "new", None)
    assert (first["domain"], first["path_b64"]) == ("example.com", None)
    assert first["first_seen"] == "2026-11-23T18:02:38.000Z"
    assert bodies(ledger, "command")[0]["matches"] == body["matches"]


def test_only_changes_are_reported(ledger):
    enter(ledger, "/p", [shown(A), partial(B)])
    enter(ledger, "/p", [shown(A)], generation=2, run="r2")
    enter(ledger, "/p", [shown(A), partial(C)], generation=3, run="r3")
    make(ledger)
    assert told(ledger) == [("/p", A, "new", None), ("/p", C, "new", None)]  # B has gone again

    enter(ledger, "/p", [shown(A), shown(C), partial(B)], generation=4, run="r4")
    make(ledger)
    assert [body["run_id"] for body in bodies(ledger)] == ["r1", "r3", "r4"]
    assert told(ledger)[2:] == [("/p", C, "known", "partial"), ("/p", B, "returned", None)]

    enter(ledger, "/p", [shown(A), shown(C), partial(B)], generation=5, run="r5")
    make(ledger)
    assert len(bodies(ledger)) == 3


def test_what_people_settled_is_not_reported(ledger):
    enter(ledger, "/p/1.jpg", [shown(A), shown(B), shown(C)])
    with ledger.transaction():
        ledger.dispositions.mark(
            Choice(None, lambda url: url == A), Decision(Disposition.NOT_MINE, NOW), MarkResult()
        )
    make(ledger, allows=lambda url, _, paths: url == B and paths == (b"/p/1.jpg",))

    assert told(ledger) == [("/p/1.jpg", C, "new", None)]


def test_first_answers_can_be_silent(ledger):
    enter(ledger, "/p", [shown(A)])
    make(ledger, first=False)
    assert bodies(ledger) == []
    enter(ledger, "/p", [shown(A), shown(B)], generation=2, run="r2")
    make(ledger, first=False)
    assert told(ledger) == [("/p", B, "new", None)]


def test_a_run_with_nothing_to_report_sends_no_message(ledger):
    enter(ledger, "/p", [])
    enter(ledger, "/q", [shown(A)])
    make(ledger, allows=lambda *_: True)
    assert bodies(ledger) == []


def test_events_wait_over_a_run_that_notifies_nobody(ledger):
    enter(ledger, "/p", [shown(A)])
    make(ledger, ())
    assert bodies(ledger) == []
    make(ledger)
    assert [body["run_id"] for body in bodies(ledger)] == ["r1"]
    assert ledger.outbox.runs() == []


def test_events_of_another_realm_wait_for_its_own_run(ledger, tmp_path):
    enter(ledger, "/p", [shown(A)])
    other = Ledger.open(tmp_path, replace(REAL, api_url="https://other.example.com"))
    make(other)
    assert bodies(other) == []
    other.close()
    make(ledger)
    assert told(ledger) == [("/p", A, "new", None)]


def test_a_message_of_more_than_500_matches_is_several(ledger):
    urls = [f"https://e.example.com/{number}" for number in range(2 * MAX_MATCHES + 1)]
    enter(ledger, "/p", [shown(url) for url in urls])
    make(ledger)
    parts = bodies(ledger)

    assert [len(body["matches"]) for body in parts] == [MAX_MATCHES, MAX_MATCHES, 1]
    assert [(body["part"], body["parts"]) for body in parts] == [(1, 3), (2, 3), (3, 3)]
    assert [match["url"] for body in parts for match in body["matches"]] == urls
    assert len({body["id"] for body in parts + bodies(ledger, "command")}) == 6


def test_a_message_is_no_larger_than_servers_take(ledger):
    pages = [f"https://e.example.com/{'x' * 300}/{number}" for number in range(2 * MAX_PAGES)]
    enter(ledger, "/p", [shown(f"https://e.example.com/{number}", *pages) for number in range(90)])
    make(ledger)
    parts = bodies(ledger)

    assert len(parts) == 4
    assert max(len(json.dumps(body)) for body in parts) < 1_000_000
    assert parts[0]["matches"][0]["pages"] == pages[:MAX_PAGES]
    assert sum(len(body["matches"]) for body in parts) == 90


def test_a_name_that_is_no_utf_8_and_a_url_that_steers_terminals_are_safe_in_a_message(ledger):
    enter(ledger, "/p/\udcff\u202e.jpg", [shown("https://e.example.com/\u202e\x1b[2J<b>")])
    make(ledger)
    message = ledger.outbox.next_pending("webhook")
    assert message is not None
    [match] = json.loads(message.body)["matches"]

    assert message.body.decode().isprintable()
    assert (match["path"], match["path_b64"]) == ("/p/\ufffd\u202e.jpg", "L3Av/+KAri5qcGc=")
    assert match["url"] == "https://e.example.com/\u202e\x1b[2J<b>"


def test_a_message_that_is_made_again_after_a_crash_is_the_same(ledger):
    enter(ledger, "/p", [shown(A)])
    connection_of(ledger).execute("BEGIN")
    make_messages(ledger, TARGETS, allows=None, first_answers=True, now=NOW)
    before = bodies(ledger)
    connection_of(ledger).execute("ROLLBACK")
    assert (len(before), bodies(ledger)) == (1, [])
    make(ledger, now=NOW + 100)
    assert bodies(ledger) == before


def test_what_a_run_finds_after_its_messages_were_made_is_another_message(ledger):
    enter(ledger, "/p", [shown(A)])
    make(ledger)
    enter(ledger, "/q", [shown(A)])  # saved answers of a run whose disk was full, for example
    make(ledger)
    assert told(ledger) == [("/p", A, "new", None), ("/q", A, "new", None)]
    assert len({body["id"] for body in bodies(ledger)}) == 2


def test_a_clock_that_is_set_back_changes_no_order(ledger):
    for number, now in enumerate((NOW, NOW - 5000, NOW - 4000), 1):
        enter(ledger, f"/p/{number}", [shown(A)], run=f"r{number}")
        make(ledger, now=now)
    assert [body["run_id"] for body in bodies(ledger)] == ["r1", "r2", "r3"]


@given(st.lists(st.integers(0, 40), max_size=60), st.integers(1, 7), st.integers(1, 60))
def test_grouping_keeps_every_item_once_and_in_order(sizes, most, largest):
    matches = [f"{number}:".encode() + b"x" * size for number, size in enumerate(sizes)]
    groups = list(grouped(matches, most, largest))

    assert [match for group in groups for match in group] == matches
    assert all(groups)
    assert all(len(group) <= most for group in groups)
    assert all(len(group) == 1 or sum(map(len, group)) <= largest for group in groups)
    for group, after in itertools.pairwise(groups):  # none is smaller than it has to be
        assert len(group) == most or sum(map(len, [*group, after[0]])) > largest


seen_by_a_run = st.dictionaries(
    st.integers(0, 3), st.dictionaries(st.integers(0, 5), st.booleans(), max_size=6), max_size=4
)


@settings(max_examples=30)
@given(st.lists(st.tuples(seen_by_a_run, st.booleans()), max_size=5))
def test_every_event_is_in_exactly_one_message_of_each_target(tmp_path_factory, runs):
    """Pictures with partial and full copies, run after run; some runs end before they tell."""
    ledger = Ledger.open(tmp_path_factory.mktemp("state"), REAL, record_events=True)
    known: dict[int, dict[int, bool]] = {}
    ever: set[tuple[int, int]] = set()
    happened: list[tuple[int, int, str]] = []
    untold: list[tuple[int, int, str]] = []
    for number, (seen, ends) in enumerate(runs, 1):
        for picture, copies in seen.items():
            before = known.get(picture, {})
            for copy, full in copies.items():
                if copy not in before:
                    untold.append((picture, copy, "returned" if (picture, copy) in ever else "new"))
                elif full and not before[copy]:
                    untold.append((picture, copy, "known"))
            known[picture] = copies
            ever |= {(picture, copy) for copy in copies}
            kinds = {
                copy: MatchKind.FULL if full else MatchKind.PARTIAL for copy, full in copies.items()
            }
            matches = [shown(f"https://{c}.example.com/", kind=kind) for c, kind in kinds.items()]
            enter(ledger, f"/{picture}", matches, run=f"r{number}", generation=number)
        if ends:
            make(ledger)
            happened += [event for event in untold if event[1] in known[event[0]]]
            untold = []
    for target in TARGETS:
        found = told(ledger, target)
        as_numbers = [
            (int(path[1:]), int(url[8:].split(".")[0]), state) for path, url, state, _ in found
        ]
        assert sorted(as_numbers) == sorted(happened)
    ledger.close()


def test_people_get_one_digest_a_run_and_programs_every_match(ledger):
    urls = [f"https://s{n % 25:02}.example/{n}" for n in range(MAX_MATCHES + 30)]
    ledger.runs.begin("r1", "/out/runs/r1", NOW)
    enter(ledger, "/p/1.jpg", [*map(shown, urls[30:]), *map(partial, urls[:30])])
    make(ledger, ["webhook", "apprise:slack"])

    message = ledger.outbox.next_pending("apprise:slack")
    digest = read_message(message.body)
    assert isinstance(digest, Digest)
    assert len(bodies(ledger)) == 2
    assert ledger.outbox.next_pending("apprise:slack", message.made_at) is None
    assert (message.matches, digest.matches, digest.pictures) == (len(urls), len(urls), 1)
    assert (digest.full, digest.partial, digest.more_sites) == (MAX_MATCHES, 30, 5)
    assert [site.full for site in digest.sites] == sorted(
        (site.full for site in digest.sites), reverse=True
    )
    assert len(digest.sites) == 20
    assert {match.kind for match in digest.worst} == {MatchKind.FULL}
    assert digest.report == "/out/runs/r1/report.html"
    assert digest.id == message.id


def test_without_events_there_is_no_digest(ledger):
    enter(ledger, "/p/1.jpg", [shown(A)])
    make(ledger, ["apprise:slack"], first=False)

    assert ledger.outbox.next_pending("apprise:slack") is None
