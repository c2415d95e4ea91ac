"""What the page shows of a match, and which matches its address asks for."""

from __future__ import annotations

import io
import os
import re
import time
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from yarl import URL

from batchscan.enums import Disposition, MatchKind
from batchscan.ledger.match_rows import MatchKey
from batchscan.ledger.review import ReviewFilter
from batchscan.review.filters import KINDS, STATES, MatchId, View
from batchscan.review.keys import KEYS
from tests.support.hostile import NAMES
from tests.support.match_builders import STRINGS
from tests.support.review import fill, found, reading, serving, usual


@pytest.mark.parametrize(
    ("query", "left", "total"),
    [
        ("", 8, 8),
        ("site=two.co.uk", 2, 2),
        ("site=TWO.co.uk", 2, 2),
        ("kind=partial", 3, 3),
        ("kind=any", 8, 8),
        ("kind=other", 0, 0),
        ("state=new", 8, 8),
        ("state=gone", 0, 0),
        ("state=any", 8, 8),
        ("disposition=reviewed", 0, 8),
        ("disposition=any", 8, 8),
        ("since=2026-11-24", 0, 0),
        ("since=2026-11-23", 8, 8),
        ("since=1000w", 8, 8),
        ("q=harbour", 3, 3),
        ("q=ONE.COM%2Fpage%2F2", 1, 1),
        ("q=%25", 0, 0),
        ("site=one.com&kind=partial&q=b1", 1, 1),
    ],
)
async def test_the_address_says_which_matches(reader, query, left, total):
    assert (await reader.show(query)).left == (left, total)


async def test_a_folder_is_one_with_all_below_it(reader, tmp_path):
    for folder, total in (("pics", 8), ("pics/2024", 3), ("pics/2024/", 3), ("pics/20", 0)):
        query = URL.build(query={"folder": str(tmp_path / folder)}).query_string
        assert (await reader.show(URL(f"?{query}").raw_query_string)).left[1] == total
    assert (await reader.show("folder=/")).left[1] == 8


@pytest.mark.parametrize(
    "query",
    ["kind=x", "state=x", "disposition=x", "by=x", "since=x", "since=2026-02-30", "a&" * 40],
)
async def test_an_unknown_address_is_refused_with_the_known_ones(reader, query):
    assert "allowed:" in (page := await reader.get(f"/queue?{query}", 400)) or "too many" in page


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
views = st.builds(
    View,
    st.builds(
        ReviewFilter,
        disposition=st.sampled_from([*(word.value for word in Disposition), "any"]),
        site=st.none() | st.just("") | st.sampled_from(["one.com", "xn--bcher-kva.example"]),
        folder=st.none() | st.binary(min_size=1, max_size=20),
        kind=st.none() | st.sampled_from(KINDS),
        state=st.sampled_from(STATES),
        text=st.none() | texts,
    ),
    st.sampled_from(["site", "picture"]),
)


@given(views, st.none() | st.integers(0, 10**6), texts)
def test_an_address_means_the_queue_that_it_was_made_of(view, number, key):
    here = view.at_match(None if number is None else MatchKey(number, key))
    assert View.parse(here.query()) == here
    assert here.at is None or here.at.names(key)


@given(st.text(max_size=60))
def test_what_is_no_name_of_a_match_is_none(text):
    name = MatchId.parse(text)
    assert name is None or str(MatchId.parse(str(name))) == str(name)


async def test_everything_about_a_match_is_there(reader, tmp_path):
    await reader.show("q=b0.jpg")
    page = reader.page
    for text in (
        'href="https://one.com/b0.jpg"',
        "bridge.jpg",
        str(tmp_path / "pics" / "2019" / "bridge.jpg"),
        "5 matches of 2 pictures",  # the site
        "shows 1 picture of ours",
        "has 5 matches on 3 sites now",
        "jpeg, 160 × 120",
        "first seen",
        "2026-11-23 18:02 UTC",
        "the answer names none",
        "Not captured",
        "no other version",
    ):
        assert text in page
    await reader.show("q=page%2F1")
    assert 'href="https://one.com/page/1"' in reader.page


async def test_ours_is_the_file_while_it_is_what_was_scanned_and_else_the_preview(reader, tmp_path):
    await reader.show("q=harbour")
    (source,) = re.findall(r'<figure class="ours">.*?src="([^"]*)"', reader.page, re.DOTALL)
    assert source.endswith("/large")
    assert await size_of(reader, source) == (160, 120)

    file = tmp_path / "pics" / "2024" / "harbour.jpg"
    data = file.read_bytes()
    file.write_bytes(data[:-9] + b"x" * 9)  # of the same size
    await reader.show("q=harbour")
    assert "small preview from then" in reader.page
    assert await size_of(reader, source) == (96, 72)
    file.unlink()
    os.mkfifo(file)  # must not be waited for
    await reader.show("q=harbour")
    assert "small preview from then" in reader.page
    file.unlink()
    file.write_bytes(data)
    assert "small preview" not in (await reader.show("q=harbour")).page


async def size_of(reader, path):
    async with reader.session.get(reader.base.join(URL(path))) as answer:
        assert answer.headers["Content-Type"] == "image/jpeg"
        with Image.open(io.BytesIO(await answer.read())) as picture:
            return picture.size


async def test_the_legend_the_buttons_and_the_keys_are_one_table(reader):
    page = (await reader.show()).page
    legend = re.findall(r'<tr data-keys="([^"]*)" data-does="([^"]*)"', page)
    assert legend == [(" ".join(key.keys), key.action) for key in KEYS]
    letters = [name for key in KEYS for name in key.keys]
    assert len(letters) == len(set(letters))
    assert {"r", "n", "t", "d", "a", "u", "x", "j", "k", "/", "?"} <= set(letters)
    actions = set(re.findall(r'data-action="([^"]*)"', page))
    assert actions == {key.action for key in KEYS} - {"previous"}  # it is the first match


async def test_strings_of_others_are_text_and_nothing_else(tmp_path):
    """Names of files, addresses and pages; what is markup in the page is ours."""
    valid = (text.encode(errors="ignore").decode() for text in STRINGS)
    urls = [text for text in valid if text.strip()][:40]
    matches = [found(url, url, "https://one.com/" + url, kind=MatchKind.FULL) for url in urls]
    fill(tmp_path, {name: matches[n : n + 3] for n, name in enumerate(NAMES[:20])})
    async with serving(tmp_path) as server, reading(server) as reader:
        known = elements(await known_page(tmp_path, reader))
        seen = 0
        await reader.show("state=any&by=picture")
        while reader.seen and seen < 60:
            assert elements(reader.page) <= known
            assert "\x1b" not in reader.page
            assert "\u202e" not in reader.page
            seen += 1
            await reader.decide("reviewed", note=urls[seen % len(urls)][:100])
        assert seen > 20
        assert elements((await reader.show("disposition=any")).page) <= known
        assert elements(await reader.get("/")) <= known | elements(await reader.get("/?kind=other"))


def elements(page: str) -> set[str]:
    """Names of elements and attributes, as a parser finds them."""
    names: set[str] = set()

    class Parser(HTMLParser):
        def handle_starttag(self, tag, attrs):
            names.update((f"<{tag}>", *(name for name, _ in attrs)))

    Parser().feed(page)
    return names


async def known_page(tmp_path, reader) -> str:
    """Everything that a harmless ledger's pages are made of."""
    other = tmp_path / "harmless"
    other.mkdir()
    usual(other)
    pages = [await reader.get("/")]
    async with serving(other) as server, reading(server) as somebody:
        for query in ("", "by=picture", "disposition=any&state=any", "q=b0.jpg"):
            pages.append((await somebody.show(query)).page)
            pages.append((await somebody.decide("reviewed", note="x")).page)
        (other / "pics" / "2024" / "harbour.jpg").unlink()
        pages.extend(
            [(await somebody.show("q=harbour&disposition=any")).page, await somebody.get("/")]
        )
    return "".join(pages)


async def test_a_thousand_matches_of_one_picture_are_walked_quickly(tmp_path):
    fill(tmp_path, {"a.jpg": [found(f"https://s{n % 7}.one.com/{n}.jpg") for n in range(1000)]})
    async with serving(tmp_path) as server, reading(server) as reader:
        await reader.show()
        assert len(reader.picks) == 41
        began = time.process_time()
        for _ in range(10):
            await reader.decide("not_mine")
        assert reader.left == (990, 1000)
        assert time.process_time() - began < 3


async def test_statistics_name_money_where_a_credit_has_a_price(server, tmp_path):
    async with reading(server) as reader:
        assert ">money<" not in await reader.get("/stats")
    (tmp_path / "config.yaml").write_text("spend: {credit_price: 0.25 EUR}\n")
    async with serving(tmp_path) as running, reading(running) as reader:
        page = await reader.get("/stats?by=month")

    assert "A credit costs 0.25 EUR." in page
    assert page.count("<td>0.50 EUR</td>") == 2  # the month's, and all


async def test_matches_at_one_address_are_told_apart_by_our_pictures(tmp_path):
    copies = {f"{name}.jpg": [found("https://one.com/a.jpg")] for name in ("beach", "lake")}
    fill(tmp_path, copies)
    async with serving(tmp_path) as server, reading(server) as somebody:
        queue = (await somebody.show()).page
        assert re.findall(r'aria-label="Select ([^"]+)"', queue) == [
            "/a.jpg, beach.jpg",
            "/a.jpg, lake.jpg",
        ]
        of_site = await somebody.get("/site?site=one.com")
        assert re.findall(r"<small><bdi>(\w+\.jpg)</bdi></small>", of_site) == [
            "beach.jpg",
            "lake.jpg",
        ]
