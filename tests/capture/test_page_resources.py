"""Which addresses a page's look depends on, whatever the page says."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.capture.page_resources import MAX_RESOURCES, resources_of

URL = "https://example.com/a/page.html"


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ('<img src="b.jpg">', ["https://example.com/a/b.jpg"]),
        ("<IMG alt=x SRC=/b.jpg >", ["https://example.com/b.jpg"]),
        ("<img src='//cdn.example/b.jpg?x=1&amp;y=2#z'>", ["https://cdn.example/b.jpg?x=1&y=2"]),
        ('<base href="/c/"><img src="b.jpg">', ["https://example.com/c/b.jpg"]),
        ('<link rel="preload stylesheet" href="s.css">', ["https://example.com/a/s.css"]),
        ('<link rel="canonical" href="https://other.example/">', []),
        ('<img src="a.jpg"><img src="a.jpg">', ["https://example.com/a/a.jpg"]),
        ('<img data-src="lazy.jpg">', ["https://example.com/a/lazy.jpg"]),
        ('<img src="data:image/png;base64,AAAA"><img src="javascript:alert(1)">', []),
        ('<img src="file:///etc/passwd"><img src="http://[">', []),
        ('<img src=""><img>', []),
        ("".join(f"<img src={n}.jpg>" for n in range(99)), [f"https://example.com/a/{n}.jpg" for n in range(MAX_RESOURCES)]),
    ],
)  # fmt: skip
def test_style_sheets_and_pictures_in_the_pages_order(page, found):
    assert resources_of(page, URL) == found


@given(st.text(alphabet="<>imgsrc=\"' /base", max_size=200))
def test_no_text_is_too_odd(page):
    assert all(url.startswith("http") for url in resources_of(page, URL))


@pytest.mark.parametrize(
    "piece", ["<img ", "<img src='", '<img src="', "<", "<img a=b ", "<base href= "]
)
def test_a_hostile_page_takes_no_longer_than_its_length(piece):
    page = piece * (1_000_000 // len(piece))
    began = time.process_time()
    resources_of(page, URL)
    assert time.process_time() - began < 2.0
