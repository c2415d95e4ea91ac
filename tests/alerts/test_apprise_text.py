from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.alerts.digest import Digest, SiteTotals
from batchscan.alerts.payload import NewMatch, body_json, list_json, read_body
from batchscan.alerts.wording import MAX_NAMED, link, neutral, text_of
from tests.support.alert_matches import match


def text(*matches: bytes, part: int = 1, parts: int = 1) -> tuple[str, str]:
    return text_of(read_body(body_json("01ab", "r1", list_json(matches), part=part, parts=parts)))


def test_a_text_names_what_was_found_the_first_ones_one_by_one():
    matches = [match(f"https://e.example.com/{n}", sha256=str(n % 3)) for n in range(MAX_NAMED)]
    matches.append(match("https://e.example.com/p", kind="partial", state="returned"))
    matches.append(match("https://e.example.com/f", state="known", was="partial"))
    title, said = text(*matches, part=2, parts=3)

    news = "10 new matches, 1 that came back, 1 that became full, of 4 pictures"
    assert title == f"batchscan: {news}"
    lines = said.splitlines()
    assert lines[0] == f"{news}: 11 full, 1 partial."
    assert lines[1] == "- full, new: hxxps://e[.]example[.]com/0 (holiday.jpg)"
    assert len(lines) == MAX_NAMED + 3
    assert lines[-2] == "... and 2 more"
    assert lines[-1] == "Run r1, message 01ab, part 2 of 3. All of them: batchscan report"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://evil.example.com/a.jpg?b=1&c", "hxxps://evil[.]example[.]com/a.jpg?b=1&c"),
        ("evil.example.com/a.jpg", "evil[.]example[.]com/a.jpg"),
        ("http://e.com/@everyone<!channel>[a](b)*", "hxxp://e[.]com/%40everyone%3C%21channel%3E%5Ba%5D%28b%29%2A"),
        ("mailto:me@e.com", "mailto:me%40e[.]com"),
        ("HTTPS://E.COM", "HXXPS://E[.]COM"),
        ("http://é.com/\u202e\x1b", "hxxp://%C3%A9[.]com/%E2%80%AE%1B"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_url_is_shown_so_that_nobody_follows_it(url, shown):
    assert neutral(url) == shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example.com/a.jpg?b=1&c", "https://a.example.com/a.jpg?b=1&c"),
        ("HTTP://A.example:8080/a b/ä#x", "http://a.example:8080/a%20b/%C3%A4"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://e.com/@everyone<!channel>[a](b)*", "https://e.com/%40everyone%3C%21channel%3E%5Ba%5D%28b%29%2A"),
        ("https://bank.example@e.com/", None),
        ("https://[::1]/a", None),
        ("javascript:alert(1)", None),
        ("//e.com/a", None),
        ("https://e.com/" + "x" * 500, None),
        ("https://e.com:99999/", None),
        ("", None),
    ],
)  # fmt: skip
def test_a_link_can_be_opened_and_holds_no_markup(url, shown):
    assert link(url) == shown


def test_a_match_that_only_came_back_is_not_called_new():
    title, _ = text(match("https://e.example.com/p", state="returned"))

    assert title == "batchscan: 1 match that came back, of 1 picture"


DIGEST = Digest(
    id="01ab", run_id="r1", pictures=4, matches=13, full=11, partial=2, other=0, returned=1, grown=1,
    sites=[SiteTotals(domain="e.example.com", full=11), SiteTotals(domain="x|<y>", partial=2)],
    more_sites=3, report="/out/runs/r1/report.html",
    worst=[msgspec.json.decode(match("https://e.example.com/1"), type=NewMatch)],
)  # fmt: skip


@pytest.mark.parametrize("clickable", [True, False])
def test_a_digest_has_totals_by_site_the_worst_and_the_reports_path(clickable):
    title, said = text_of(DIGEST, clickable=clickable)
    dot, shown = (".", "https://") if clickable else ("[.]", "hxxps://")

    news = "11 new matches, 1 that came back, 1 that became full, of 4 pictures on 5 sites"
    assert title == f"batchscan: {news}"
    assert said.splitlines() == [
        f"{news}: 11 full, 2 partial.",
        "By site, the worst first:",
        f"- e{dot}example{dot}com: 11 full",
        "- x%7C%3Cy%3E: 2 partial",
        "... and 3 more sites",
        "The worst:",
        f"- full, new: {shown}e{dot}example{dot}com/1 (holiday.jpg)",
        "... and 12 more",
        "Report: /out/runs/r1/report.html",
        "Run r1, message 01ab. All of them: batchscan report",
    ]


@given(st.text(max_size=80), st.text(max_size=40))
def test_no_string_from_outside_is_markup_where_links_are_shown(url, path):
    url, path = (value.encode("utf-8", "replace").decode() for value in (url, f"/{path}"))
    body = body_json("01ab", "r1", list_json([match(f"https://e.com/{url}", path=path)]))
    line = text_of(read_body(body), clickable=True)[1].split("\n")[1]

    assert line.isprintable()
    assert not re.search(r"[@<>`*\[\]#|!]", line.replace("[.]", ""))


@given(st.text(max_size=80), st.text(max_size=40))
def test_no_string_from_outside_makes_a_link_a_mention_or_another_line(url, path):
    url, path = (value.encode("utf-8", "replace").decode() for value in (url, f"/{path}"))
    _, said = text(match(url, path=path))

    _, line, last = said.split("\n")
    assert said.isprintable() or said.replace("\n", "").isprintable()
    assert not re.search(r"https?://|[@<>`*\[\]#|!]", line.replace("[.]", ""), re.IGNORECASE)
    assert last.startswith("Run r1")
