"""Screenshots by a real Chromium, of a page that wants to get at this machine."""

from __future__ import annotations

import asyncio
import io
import os

import pytest
from PIL import Image

from batchscan.capture import browser
from batchscan.capture.browser import Chromium
from batchscan.capture.capturer import Screenshot
from batchscan.capture.devtools import MAX_DOCUMENTS
from batchscan.errors import UsageError
from batchscan.web_client import ConnectTo
from tests.support.servers import head_of, scripted
from tests.support.web_sites import ok, site

pytestmark = pytest.mark.slow


async def test_a_page_is_shown_and_reaches_nothing_private():
    touched: list[bytes] = []

    async def secret(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        touched.append(await reader.read(100))

    async with scripted(secret) as private:
        port = private.rpartition(":")[2]
        wanted = "".join(
            f'<img src="http://{host}:{port}/a"><iframe src="http://{host}:{port}/b"></iframe>'
            for host in ("127.0.0.1", "localhost", "[::1]", "0.0.0.0", "127.1")
        )
        page = (
            f"<body style='background:#f00'>{wanted}<script>fetch('http://127.0.0.1:{port}/c');"
            f"new WebSocket('ws://127.0.0.1:{port}/d');</script>"
        )
        answer = ok(page.encode(), "Content-Type: text/html")
        async with site(lambda _: answer) as web:
            rules = ConnectTo.of([web.rule()])
            shot = await Chromium.find(rules, os.environ).shoot("http://site.example/page")

    assert touched == []
    assert shot is not None
    with Image.open(io.BytesIO(shot.png)) as seen:
        assert seen.size == (1280, 2000)
        assert seen.convert("RGB").getpixel((5, 1900)) == (255, 0, 0)


SHOWN = "<!doctype html><body style='background:#00a000'>shown"
ODD_PAGES = {
    "alert": "<script>alert('a')</script>",
    "confirm and prompt": "<script>confirm('a'); prompt('b')</script>",
    "print": "<script>onload = () => print()</script>",
    "beforeunload": "<script>onbeforeunload = e => {e.preventDefault(); return 'no'}</script>",
    "alerts for ever": "<script>setInterval(() => alert('a'), 1)</script>",
    "alert in a frame": "<iframe srcdoc=\"<script>alert('a')</script>\"></iframe>",
    "a script that goes to another page for ever": "<script>location = '/' + Math.random()</script>",
    "a script that reloads for ever": "<script>location.reload()</script>",
    "a refresh for ever": "<meta http-equiv=refresh content=0>",
    "windows for ever": "<script>setInterval(() => open('/' + Math.random()), 10)</script>",
    "it closes itself": "<script>window.close()</script>",
    "more than fits": "<div style='width: 200000px; height: 2000000px'></div>",
}


@pytest.mark.parametrize("odd", ODD_PAGES.values(), ids=ODD_PAGES)
async def test_an_odd_page_is_shown(odd):
    answer = ok((SHOWN + odd).encode(), "Content-Type: text/html")

    async with site(lambda _: answer) as web:
        shot = await Chromium.find(ConnectTo.of([web.rule()]), os.environ).shoot(
            "http://site.example/page"
        )

    assert_shown(shot)
    assert len(web.paths) - web.paths.count("/favicon.ico") <= MAX_DOCUMENTS


async def test_a_page_whose_script_never_ends_is_shown_without_it(monkeypatch):
    monkeypatch.setattr(browser, "SECONDS", 10.0)
    monkeypatch.setattr(browser, "LOADING", 5.0)
    answer = ok(f"{SHOWN}<script>while (true);</script>".encode(), "Content-Type: text/html")

    async with site(lambda _: answer) as web:
        shot = await Chromium.find(ConnectTo.of([web.rule()]), os.environ).shoot(
            "http://site.example/page"
        )

    assert_shown(shot)


async def test_a_page_with_a_part_that_never_comes_is_shown(monkeypatch):
    monkeypatch.setattr(browser, "LOADING", 3.0)
    page = ok(f"{SHOWN}<img src=/never>".encode(), "Content-Type: text/html")

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if b"/never" not in await head_of(reader):
            writer.write(page)
            return
        await reader.read()

    async with scripted(script) as url:
        rules = ConnectTo.of([f"site.example:80:127.0.0.1:{url.rpartition(':')[2]}"])
        shot = await Chromium.find(rules, os.environ).shoot("http://site.example/page")

    assert_shown(shot)


async def test_a_page_that_does_not_answer_has_no_screenshot():
    async def close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader)

    async with scripted(close) as url:
        rules = ConnectTo.of([f"site.example:80:127.0.0.1:{url.rpartition(':')[2]}"])
        shot = await Chromium.find(rules, os.environ).shoot("http://site.example/page")

    assert shot is None


def assert_shown(shot: Screenshot | None) -> None:
    assert shot is not None
    with Image.open(io.BytesIO(shot.png)) as seen:
        assert seen.size == (1280, 2000)
        assert seen.convert("RGB").getpixel((5, 1900)) == (0, 160, 0)


async def test_a_missing_browser_is_reported(tmp_path):
    with pytest.raises(UsageError, match="Chromium or Chrome was not found"):
        Chromium.find(ConnectTo(), {"PATH": str(tmp_path)})


async def test_a_browser_that_makes_no_picture_gives_none():
    async with site() as web:
        assert (
            await Chromium("/bin/true", ConnectTo.of([web.rule()])).shoot("http://site.example/")
            is None
        )
