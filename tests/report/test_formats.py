from __future__ import annotations

import csv
import io
import json
import re
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import date
from importlib import import_module
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchscan.allow import AllowRules, Rule
from batchscan.allow.active import ActiveAllowRules, summarize
from batchscan.enums import Disposition, MatchKind, MatchState
from batchscan.ledger import Everything, Ledger, Realm
from batchscan.ledger.decision_types import Choice, Decision, MarkResult
from batchscan.report import Report, csv_table, encode, html_page, junit, markdown
from batchscan.report.html_pictures import picture_list
from batchscan.report.schema import figures
from batchscan.report_formats import FORMATS
from batchscan.report_sections import PictureMatches
from batchscan.runs.reports import render
from batchscan.url_patterns import UrlPattern
from tests.support.ledger_entries import enter, shown
from tests.support.report_builders import (
    NOW,
    digest_of,
    everything,
    match,
    picture,
    report_of,
)
from tests.support.report_facts import books
from tests.support.report_facts import report as report_with

OTHERS = tuple(
    import_module(f"batchscan.report.{form.module}")
    for name, form in FORMATS.items()
    if name != "html"
)


def shown_by_json(report: Report) -> dict[str, int]:
    text = msgspec.json.decode(encode(report))
    sections = {
        name: text[name]
        for name in ("files", "reasons", "unchecked", "credits", "matches", "run_matches")
    }
    return {
        f"{section}.{name}": value
        for section, values in sections.items()
        for name, value in values.items()
        if isinstance(value, int)
    }  # fmt: skip


def shown_by_junit(data: bytes) -> dict[str, int]:
    properties = ET.fromstring(data).findall("testsuite[@name='coverage']/properties/property")
    return {found.attrib["name"]: int(found.attrib["value"]) for found in properties}


def shown_by_markdown(data: bytes) -> dict[str, int]:
    rows = re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \| ([\d,]+) \|$", data.decode(), re.MULTILINE)
    return {name: int(number.replace(",", "")) for name, number in rows}


def shown_by_table(data: bytes) -> dict[str, int]:
    """The figures that can be counted in the rows: each picture and URL once."""
    rows = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    found = {(row["sha256"], row["url"]): row for row in rows}.values()
    there = [row for row in found if row["state"] != "gone"]
    counts = {
        "images_with_matches": len({row["sha256"] for row in there}),
        "total": len(there),
        "full": sum(row["kind"] == "full" for row in there),
        "partial": sum(row["kind"] == "partial" for row in there),
        "new": sum(row["state"] == "new" for row in there),
        "returned": sum(row["state"] == "returned" for row in there),
        "gone": len(found) - len(there),
        "allowed": sum(row["disposition"] == "allowed" for row in there),
        "worklist": sum(row["disposition"] in ("open", "reviewed") for row in there),
    }
    return {f"matches.{name}": number for name, number in counts.items()}


# Printable, so that no two URLs look the same in a cell
letters = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=9)


def shown_by_page(data: bytes) -> dict[str, int]:
    pairs = re.findall(r'<data value="(\d+)" data-figure="([a-z_]+\.[a-z_]+)">', data.decode())
    return {name: int(number) for number, name in pairs if not name.startswith("api.")}


matches = st.builds(
    match,
    letters.map("http://e.example/{}".format),
    st.sampled_from(MatchKind),
    st.just("http://e.example/page"),
    state=st.sampled_from(MatchState),
    disposition=st.sampled_from(Disposition),
    domain=letters,
)
pictures = st.lists(
    st.lists(matches, max_size=4, unique_by=lambda match: match.url), max_size=5
).map(lambda lists: [picture(f"/{number}", *found) for number, found in enumerate(lists)])


@settings(max_examples=40, deadline=None)
@given(pictures)
def test_all_formats_show_the_same_figures(seen):
    report = report_of(seen)
    check(report, lambda: iter(seen))


def test_the_figures_of_a_ledger_are_those_of_all_formats(tmp_path):
    ledger = Ledger.open(tmp_path, Realm("https://api.example.com", sandbox=False))
    urls = [f"https://{site}/{n}.jpg" for site in ("a.example.com", "b.org") for n in range(4)]
    partial = [shown(url, kind=MatchKind.PARTIAL) for url in urls[:3]]
    for path in ("/p/1.jpg", "/p/2.jpg", "/p/3.jpg"):
        enter(ledger, path, [*partial, *map(shown, urls[3:])])
    enter(ledger, "/p/1.jpg", [shown(urls[0])], generation=2, run="r2")
    enter(ledger, "/p/1.jpg", [shown(urls[0]), shown(urls[3])], generation=3, run="r3")
    enter(ledger, "/p/4.jpg", [shown(urls[0], "https://a.example.com/page")], run="r3")
    rules = AllowRules([Rule("ours", target=UrlPattern.of("https://b.org/1.jpg"))])
    allow_rules = ActiveAllowRules(rules, date(2026, 11, 23))
    with ledger.transaction():
        choice = Choice(None, lambda url: url == urls[2])
        ledger.dispositions.mark(choice, Decision(Disposition.NOTICED, NOW), MarkResult())
        view = allow_rules.view(ledger, Everything(), ["r3"])
        report = report_with(books(scanned=4), summarize(view, allow_rules))
        check(report, view.pictures)
        for name in FORMATS:
            assert b"".join(render(name, report, view, NOW)), name
        facets = view.facets()
        shown_ = picture_list(view.pictures(), "matches.csv")
    ledger.close()

    assert facets == shown_.counted  # by SQL, and as the pictures come
    assert facets.dispositions["allowed"] == 3
    found = report.matches
    assert (found.images_with_matches, found.total, found.gone) == (4, 19, 6)
    assert (found.new, found.returned, found.allowed, found.worklist) == (1, 1, 2, 15)


def check(report: Report, pictures: Callable[[], Iterator[PictureMatches]]) -> None:
    """Compare what each format shows with what the report says."""
    written = {form: b"".join(form.render(report, pictures())) for form in OTHERS}
    on_page = shown_by_page(b"".join(html_page.render(report, pictures(), made_at=NOW)))
    expected = figures(report)

    assert shown_by_json(report) == expected
    assert shown_by_junit(written[junit]) == expected
    assert shown_by_markdown(written[markdown]) == expected
    assert shown_by_table(written[csv_table]).items() <= expected.items()
    assert on_page == expected


def test_a_figure_that_is_not_known_is_shown_as_none():
    report = msgspec.structs.replace(report_of([]))
    credits_ = msgspec.structs.replace(report.credits, balance=None)
    old = msgspec.structs.replace(report, credits=credits_)

    assert "credits.balance" in figures(report)
    assert "credits.balance" not in figures(old)
    assert "credits.balance" not in shown_by_markdown(b"".join(markdown.render(old, [])))


@pytest.mark.parametrize("form", OTHERS, ids=lambda form: form.__name__)
def test_memory_does_not_grow_with_the_pictures(form):
    report = report_of(everything())

    def peak(number):
        many = (picture(f"/p/{n}", match(f"http://e.example/{n}")) for n in range(number))
        tracemalloc.start()
        written = sum(map(len, form.render(report, many)))
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return written, highest

    (_, few), (_, many) = peak(200), peak(2000)
    assert many < few + 600_000  # CPython keeps 2,000 freed tuples


counts_of = st.integers(0, 12_345)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(counts_of, min_size=4, max_size=4),
    st.dictionaries(st.sampled_from(["too_large", "corrupt", "empty"]), counts_of),
    st.dictionaries(st.sampled_from(["network", "bad_response"]), counts_of),
    st.lists(counts_of, min_size=4, max_size=4),
    st.lists(st.lists(st.sampled_from(MatchKind), min_size=1, max_size=3), max_size=4),
)
def test_words_and_figures_of_the_page_agree_with_the_json(states, rejected, failed, paid, kinds):
    """Its words and sentences too, against the report as a program decodes it."""
    counts = dict(zip(("scanned", "reused", "covered", "unchanged"), states, strict=True))
    tally = books(**counts, rejected=rejected, failed=failed, deferred={})
    tally.charged, tally.saved_by_reuse, tally.outcome_unknown, tally.expected = paid
    seen = [
        picture(f"/{n}.jpg", *(match(f"https://s{n}.org/{m}", kind) for m, kind in enumerate(each)))
        for n, each in enumerate(kinds)
    ]
    about = report_with(tally, digest_of(seen), balance=paid[0])
    plain = json.loads(encode(about))
    made = b"".join(html_page.render(about, iter(seen), made_at=NOW)).decode()

    check_figures(plain, made)
    files, found = plain["files"], plain["matches"]
    lead = numbers_in(r'<p class="coverage[^>]*>(.*?)<a ', made)
    if 0 < files["unchecked"] < files["seen"]:
        assert lead[:3] == [files["checked"], files["seen"], files["unchecked"]]
    assert sum(plain["unchecked"].values()) == files["unchecked"]
    if found["total"]:
        headline = numbers_in("<h1>(.*?)</h1>", made)
        assert headline[:3] == [found["total"], found["images_with_matches"], len(plain["domains"])]
    assert made.count('<li class="match') == found["total"]
    assert made.count("<article") == found["images_with_matches"]


def check_figures(plain: dict[str, Any], made: str) -> None:
    """Compare every figure of the page, as a value and as text, with the decoded report."""
    shown = re.findall(r'<data value="(\d*)" data-figure="([a-z_.0-9]+)">(.*?)</data>', made)
    assert len(shown) > 30
    for value, path, text in shown:
        found: Any = plain
        for step in path.split("."):
            found = found[int(step)] if isinstance(found, list) else found[step]
        assert value == ("" if found is None else str(found)), path
        if path != "files.bytes":  # which is shown as a size
            assert text == ("<i>not known</i>" if found is None else f"{found:,}"), path


def numbers_in(pattern: str, made: str) -> list[int]:
    """The numbers in a part of the page."""
    part = re.search(pattern, made, re.DOTALL)
    assert part
    return [int(each.replace(",", "")) for each in re.findall(r"\d[\d,]*", part[1])]
