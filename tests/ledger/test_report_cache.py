"""No fingerprint ever stands for two reports, whatever was answered, decided, allowed or removed."""

from __future__ import annotations

import hashlib
import tempfile
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchscan.allow import AllowRules
from batchscan.allow.active import ActiveAllowRules, summarize
from batchscan.allow.parse import PARSERS, parse_rule
from batchscan.ledger import Ledger, ReportView, ThisProcess
from batchscan.ledger.report_cache import KEPT
from batchscan.report import csv_table
from batchscan.runs.report_reuse import find_basis, fingerprint_of
from tests.support.inside import connection_of
from tests.support.ledgers import REAL, answer, image
from tests.support.report_facts import DIGEST, books, report

REPORT = report(books(scanned=1), DIGEST)
URLS = [f"https://example.com/{n}.jpg" for n in range(4)]


def rule(**texts: str):
    return parse_rule(
        {key: PARSERS[key](text) for key, text in {"reason": "ours", **texts}.items()}
    )


RULES = [
    AllowRules(),
    AllowRules([rule(url=URLS[0])]),
    AllowRules([rule(url=URLS[0], until="2026-11-23")]),
    AllowRules([rule(images="/p/2.png")]),
    AllowRules([rule(sha256=hashlib.sha256(b"1").hexdigest())]),
]
PICTURES = st.integers(0, 2)
STEPS = st.one_of(
    st.tuples(st.just("answer"), PICTURES, st.sets(st.sampled_from(URLS))),
    st.tuples(st.just("read_late"), PICTURES, st.sets(st.sampled_from(URLS))),
    st.tuples(st.just("mark"), st.sampled_from(URLS), st.sampled_from(["open", "removed"])),
    st.tuples(st.just("portray"), PICTURES, st.binary(max_size=2)),
    st.tuples(st.just("move"), PICTURES, PICTURES),
    st.tuples(st.just("allow"), st.sampled_from(RULES), st.sampled_from([23, 24])),
    st.tuples(st.just("see"), st.sets(PICTURES), st.booleans()),
)


class World:
    """A ledger to which things happen, and what its reports would say."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.allowing = ActiveAllowRules(AllowRules(), date(2026, 11, 23))
        self.run = 0
        self.known: dict[int, tuple[int, bytes]] = {}  # number and path, by content
        self.run_id = ""
        self.begin()

    def begin(self) -> None:
        self.run += 1
        self.run_id = f"run-{self.run}"
        connection_of(self.ledger).execute("DELETE FROM seen_pictures")
        self.ledger.report_pictures.version += 1

    @property
    def view(self) -> ReportView:
        return self.allowing.view(self.ledger, ThisProcess(), [self.run_id])

    def fingerprint(self) -> bytes:
        return fingerprint_of(self.ledger, self.view, self.allowing)

    def answer(self, number: int, urls: set[str], *, late: bool = False) -> None:
        asked = image(f"/p/{number}.png", str(number).encode())
        known = self.ledger.known.lookup(asked.sha256)
        claim = self.ledger.claims.open(asked, known.generation + 1, self.run_id, 1.0)
        said = answer(*sorted(urls))
        answer_id = self.ledger.claims.settle(claim, said.body, said.received_at, self.run_id)
        if late:
            self.begin()
        self.ledger.readings.enter(answer_id, said, 1, self.run_id, late=late)
        self.ledger.files.upsert(asked.path, asked.stat, picture_id=claim.picture_id)
        self.ledger.report_pictures.add(claim.picture_id, asked.path, fresh=not late)
        self.known[number] = (claim.picture_id, asked.path.encode())

    def read_late(self, number: int, urls: set[str]) -> None:
        self.answer(number, urls, late=True)

    def mark(self, url: str, word: str) -> None:
        connection_of(self.ledger).execute(
            "UPDATE sightings SET disposition = ? WHERE url = ?", (word, url)
        )

    def portray(self, number: int, thumbnail: bytes) -> None:
        if number in self.known:
            self.ledger.previews.put(self.known[number][0], thumbnail, b"{}")

    def move(self, number: int, to: int) -> None:
        if number in self.known:
            asked = image(f"/p/{to}.png")
            self.ledger.files.upsert(asked.path, asked.stat, picture_id=self.known[number][0])

    def allow(self, rules: AllowRules, day: int) -> None:
        self.allowing = ActiveAllowRules(rules, date(2026, 11, day))

    def see(self, numbers: set[int], anew: bool) -> None:
        if anew:
            self.begin()
        for number in numbers & self.known.keys():
            picture_id, path = self.known[number]
            self.ledger.report_pictures.add(picture_id, path.decode(), fresh=False)

    def report(self) -> tuple[object, ...]:
        pictures = list(self.view.pictures())
        shown = b"".join(csv_table.render(REPORT, pictures))
        return summarize(self.view, self.allowing), shown, pictures


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(st.lists(STEPS, max_size=25))
def test_the_same_fingerprint_is_the_same_report(steps):
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger.open(Path(folder), REAL)
        world = World(ledger)
        made: dict[bytes, object] = {}
        for name, *values in steps:
            with ledger.transaction():
                getattr(world, name)(*values)
            with ledger.transaction():
                now = world.report()
                assert made.setdefault(world.fingerprint(), now) == now
                assert find_basis(ledger, world.view, world.allowing).summary == now[0]
        ledger.close()


@pytest.fixture
def world(ledger):
    made = World(ledger)
    for number in range(3):
        made.answer(number, {URLS[number]})
    return made


def test_runs_without_new_matches_share_a_fingerprint(world):
    def seen_again() -> bytes:
        world.see({0, 1, 2}, True)
        return bytes(world.fingerprint())

    with_news = world.fingerprint()
    second, third = seen_again(), seen_again()

    assert with_news != second == third


def test_answers_without_matches_change_no_report_of_pictures_with_matches(world):
    world.see({0, 1, 2}, True)
    before = world.fingerprint()
    world.answer(7, set())

    assert world.fingerprint() == before


def test_a_digest_comes_back_as_it_was_and_only_the_newest_stay(world, ledger):
    digest = summarize(world.view, ActiveAllowRules(RULES[2], date(2026, 11, 24)))
    for number in range(KEPT + 2):
        ledger.report_cache.keep(bytes([number]), digest)

    kept = [ledger.report_cache.summary(bytes([number])) for number in range(KEPT + 2)]
    assert digest.rules
    assert kept == [None, None, *[digest] * KEPT]


def test_a_damaged_digest_is_none(world, ledger):
    ledger.report_cache.keep(b"1", summarize(world.view, world.allowing))
    connection_of(ledger).execute("UPDATE digests SET digest = x'00'")

    assert ledger.report_cache.summary(b"1") is None
