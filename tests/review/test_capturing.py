"""Capturing from the page: their site is asked by us, and only our own picture of it is shown."""

from __future__ import annotations

import asyncio
import io
import re

import pytest
from PIL import Image
from yarl import URL

from batchscan.review.server import ReviewServer
from batchscan.state.lock import StateLock
from tests.support.pictures import png
from tests.support.review import begun_until, ended, fill, found, loaded, reading, usual
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
        assert re.search(r"Captured [^<]*, \d+% like ours", figure)
        source = re.findall(r'<img src="([^"]*)"', figure)[0]
        async with reader.session.get(reader.base.join(URL(source))) as answer:
            assert answer.headers["Content-Type"] == "image/jpeg"
            data = await answer.read()
        assert b"script" not in data
        with Image.open(io.BytesIO(data)) as picture:
            assert picture.size[0] / picture.size[1] == pytest.approx(1.5, abs=0.02)
        assert source in (await reader.show()).page
        assert {path for path in theirs.paths if path != "/robots.txt"} == {"/a.png"}

        await reader.post("/site/capture?site=site.example")
        page = await ended(reader, "site.example")
        assert "2 matches captured." in page
        assert "The pictures of 1 match could not be fetched." in page


async def test_a_private_address_is_not_requested_and_the_reason_is_given(tmp_path):
    async with site(lambda _: ok(png())) as theirs:
        fill(tmp_path, {"ours.jpg": [found(f"{theirs.url}/a.png")]})
        async with ReviewServer(loaded(tmp_path)) as server, reading(server) as reader:
            await reader.show()
            figure = await reader.post("/capture", at=reader.seen, part="1")
            assert 'data-said=""' in figure
            assert "Captured, but without their picture: " in figure
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
            await reader.post("/site/recheck?site=site.example")
            page = await ended(reader, "site.example")
            assert "2 matches asked about: 1 not found, once so far; 1 still there." in page
            await reader.show("disposition=noticed&q=a.png")
            assert "still there" in reader.page
            assert "Seen by a recheck" in reader.page
            assert "like ours" in reader.page
            await reader.show("disposition=noticed&q=b.png")
            assert "not found, once so far" in reader.page
            assert "Not captured" in reader.page


async def test_one_match_is_asked_about_whatever_was_decided(tmp_path):
    """And only that one, though another one has the same address."""
    (tmp_path / "config.yaml").write_text("recheck: {pause: 0s}\n")
    shown = [found("http://site.example/a.png"), found("http://site.example/gone")]
    fill(tmp_path, {"a.jpg": shown, "b.jpg": shown[:1]})
    answers = {"/a.png": ok(png(300, 200, 1), "Content-Type: image/png")}
    async with site(lambda path: answers.get(path, ok(status="404 Not Found"))) as theirs:
        server = ReviewServer(loaded(tmp_path), 0, (theirs.rule(),))
        async with server, reading(server) as reader:
            await reader.show("q=a.png")
            figure = await reader.post(f"/recheck?{reader.query}", at=reader.seen, part="1")
            assert 'data-said="Asked: still there."' in figure
            assert "still there (" in figure
            assert "like ours" in figure
            assert "/capture/" in figure
            assert [path for path in theirs.paths if path != "/robots.txt"] == ["/a.png"]

            await reader.show("q=gone")
            page = await reader.post("/recheck?q=gone", at=reader.seen)  # without the script
            assert "not found, once so far" in page
            assert "at least a day later" in page
            assert 'id="match-title"' in page
            assert (await reader.show()).left == (3, 3)  # it decides nothing
            await reader.post("/recheck", 404, at=f"77-{'0' * 16}:open", part="1")
            await reader.post("/recheck", 400, at="", part="1")


async def test_the_page_of_a_site_says_how_far_it_is_and_can_be_loaded_again(tmp_path):
    """What was begun is not begun again by loading the page anew, and its errors are said."""
    (tmp_path / "config.yaml").write_text("recheck: {pause: 0s}\n")
    fill(tmp_path, {"a.jpg": [found(f"http://site.example/{n}.png") for n in range(3)]})
    hold = asyncio.Event()

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if theirs.paths[-1].endswith("2.png"):
            await hold.wait()
        writer.write(ok(png(300, 200, 1), "Content-Type: image/png"))
        await writer.drain()

    async with site(script=answer) as theirs:
        server = ReviewServer(loaded(tmp_path), 0, (theirs.rule(),))
        async with server, reading(server) as reader:
            page = await reader.post("/site/capture?site=site.example")
            assert "data-running" in page
            assert "Capturing what is on site.example" in page
            await begun_until(reader, "site.example", lambda said: "2 of 3 matches" in said)
            page = await reader.get("/site?site=site.example")
            assert re.search(r'<progress aria-label="[^"]*" max="3" value="2">', page)
            assert re.search(r"<button disabled>Capture all 3", page)
            async with reader.session.get(
                reader.base.join(URL("/site/capture?site=site.example"))
            ) as again:
                assert again.url.path == "/site"
            hold.set()
            assert "3 matches captured." in await ended(reader, "site.example")
    assert sorted(path for path in theirs.paths if path != "/robots.txt") == [
        f"/{n}.png" for n in range(3)
    ]


async def test_an_error_of_a_capture_is_shown_on_the_page(tmp_path):
    usual(tmp_path)
    async with ReviewServer(loaded(tmp_path)) as server, reading(server) as reader:
        lock = StateLock(tmp_path / "state", "fail", "recheck")
        assert lock.acquire()
        try:
            await reader.post("/site/mark?site=one.com", word="noticed")
            await reader.post("/site/recheck?site=one.com")
            assert re.search(r'<p class="bad">[^<]*recheck[^<]*', await ended(reader, "one.com"))
        finally:
            lock.release()
