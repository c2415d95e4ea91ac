from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.alerts.apprise import MAX_NAMED, neutral, text_of
from batchscan.alerts.payload import body_json, list_json, read_body
from tests.support.alert_matches import match


def text(*matches: bytes, part: int = 1, parts: int = 1) -> tuple[str, str]:
    return text_of(read_body(body_json("01ab", "r1", list_json(matches), part=part, parts=parts)))


def test_a_text_names_what_was_found_the_first_ones_one_by_one():
    matches = [match(f"https://e.example.com/{n}", sha256=str(n % 3)) for n in range(MAX_NAMED)]
    matches.append(match("https://e.example.com/p", kind="partial", state="returned"))
    matches.append(match("https://e.example.com/f", state="known", was="partial"))
    title, said = text(*matches, part=2, parts=3)

    assert title == "batchscan: 12 new matches of 4 pictures"
    lines = said.splitlines()
    assert lines[0] == (
        "12 new matches of 4 pictures: 11 full, 1 partial, 1 came back, 1 became full."
    )
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


@given(st.text(max_size=80), st.text(max_size=40))
def test_no_string_from_outside_makes_a_link_a_mention_or_another_line(url, path):
    url, path = (value.encode("utf-8", "replace").decode() for value in (url, f"/{path}"))
    _, said = text(match(url, path=path))

    _, line, last = said.split("\n")
    assert said.isprintable() or said.replace("\n", "").isprintable()
    assert not re.search(r"https?://|[@<>`*\[\]#|!]", line.replace("[.]", ""), re.IGNORECASE)
    assert last.startswith("Run r1")
