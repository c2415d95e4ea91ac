from __future__ import annotations

import csv
import io
import re
import tracemalloc
from xml.etree import ElementTree as ET

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchscan.names import Disposition, MatchKind, MatchState
from batchscan.report import Report, encode, junit, markdown, table
from batchscan.report.figures import figures
from tests.report.found import everything, match, picture, report_of

FORMATS = (table, junit, markdown)


def shown_by_json(report: Report) -> dict[str, int]:
    text = msgspec.json.decode(encode(report))
    sections = {
        name: text[name] for name in ("files", "reasons", "credits", "matches", "run_matches")
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
    written = {form: b"".join(form.render(report, iter(seen))) for form in FORMATS}
    expected = figures(report)

    assert shown_by_json(report) == expected
    assert shown_by_junit(written[junit]) == expected
    assert shown_by_markdown(written[markdown]) == expected
    assert shown_by_table(written[table]).items() <= expected.items()


def test_a_figure_that_is_not_known_is_shown_as_none():
    report = msgspec.structs.replace(report_of([]))
    credits_ = msgspec.structs.replace(report.credits, balance=None)
    old = msgspec.structs.replace(report, credits=credits_)

    assert "credits.balance" in figures(report)
    assert "credits.balance" not in figures(old)
    assert "credits.balance" not in shown_by_markdown(b"".join(markdown.render(old, [])))


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.__name__)
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
