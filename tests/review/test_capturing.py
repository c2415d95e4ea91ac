"""Capturing from the page: their site is asked by us, and only our own picture of it is shown."""

from __future__ import annotations

import asyncio
import io
import re

import pytest
from PIL import Image
from yarl import URL

from batchscan.review.server import ReviewServer
from tests.support.pictures import png
from tests.support.review import fill, found, loaded, reading, usual
from tests.support.web_sites import ok, site


@pytest.mark.slow
async def test_their_picture_is_captured_made_anew_and_shown(tmp_path):
    """At most one request in two seconds goes to a host, so this takes a few."""
    hidden = png(300, 200, 1) + b"<script>alert(1)</script>"
    answers = {"/a.png": ok(hidden, "Content-Type: image/png")}
    fill(
        tmp_path, {"ours.jpg": [found("http://site.example/a.png"), found("http://site.example/b")]}
    )
    async with (
        site(lambda path: answers.get(path, ok(status="404 Not Found"))) as theirs,
        ReviewServer(loaded(tmp_path), 0, (theirs.rule(),)) as server,
        reading(server) as reader,
    ):
        await reader.show()
        assert "Not captured" in reader.page
        assert "site.example/a.png" in reader.url
        figure = await reader.post("/capture", at=reader.seen, part="1")
        assert 'data-said="Captured."' in figure
        source = re.findall(r'<img src="([^"]*)"', figure)[0]
        async with reader.session.get(reader.base.join(URL(source))) as answer:
            assert answer.headers["Content-Type"] == "image/jpeg"
            data = await answer.read()
        assert b"script" not in data
        with Image.open(io.BytesIO(data)) as picture:
            assert picture.size[0] / picture.size[1] == pytest.approx(1.5, abs=0.02)
        assert source in (await reader.show()).page
        assert {path for path in theirs.paths if path != "/robots.txt"} == {"/a.png"}

        page = await reader.post("/site/capture?site=site.example")
        assert "Capturing what is on site.example" in page
        assert "2 matches captured. Of 1 match the picture was" in await ended(reader)


async def ended(reader) -> str:
    """The page of the site when what is under way has ended."""
    page = ""
    for _ in range(100):
        page = str(await reader.get("/site?site=site.example"))
        if "not done yet" not in page:
            break
        await asyncio.sleep(0.2)
    return page


async def test_a_private_address_is_not_asked_and_it_is_said_why(tmp_path):
    async with site(lambda _: ok(png())) as theirs:
        fill(tmp_path, {"ours.jpg": [found(f"{theirs.url}/a.png")]})
        async with ReviewServer(loaded(tmp_path)) as server, reading(server) as reader:
            await reader.show()
            figure = await reader.post("/capture", at=reader.seen, part="1")
            assert "Captured what there was." in figure
            assert "Their picture: " in figure
            assert "Not captured" in figure
        assert theirs.heads == []


async def test_what_is_no_match_or_no_address_is_not_captured(tmp_path):
    usual(tmp_path)
    fill(tmp_path, {"more.jpg": [found("no address at all")]}, run="r2")
    async with ReviewServer(loaded(tmp_path)) as server, reading(server) as reader:
        await reader.post("/capture", 400, at="", part="1")
        await reader.post("/capture", 404, at=f"77-{'0' * 16}:open", part="1")
        await reader.get(f"/capture/77-{'0' * 16}", 404)
        await reader.show("q=no+address")
        assert "Capture now" not in reader.page
        assert (await reader.show("site=one.com")).page.count("Capture now") == 1


@pytest.mark.slow
async def test_a_site_is_asked_whether_what_was_noticed_is_still_there(tmp_path):
    answers = {"/a.png": ok(png(300, 200, 1), "Content-Type: image/png")}
    fill(tmp_path, {"a.jpg": [found(f"http://site.example/{name}") for name in ("a.png", "b.png")]})
    (tmp_path / "config.yaml").write_text("recheck: {pause: 0s}\n")
    async with site(lambda path: answers.get(path, ok(status="404 Not Found"))) as theirs:
        server = ReviewServer(loaded(tmp_path), 0, (theirs.rule(),))
        async with server, reading(server) as reader:
            await reader.post("/site/mark?site=site.example", word="noticed")
            assert "Asking site.example" in await reader.post("/site/recheck?site=site.example")
            page = await ended(reader)
            assert "2 matches asked about: 1 gone once, 1 there." in page
            await reader.show("disposition=noticed&q=a.png")
            assert "still there" in reader.page
            assert "Seen by a recheck" in reader.page
            assert "likeness to ours" in reader.page
            await reader.show("disposition=noticed&q=b.png")
            assert "not there, once so far" in reader.page
            assert "Not captured" in reader.page
