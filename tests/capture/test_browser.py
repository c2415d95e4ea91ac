"""Screenshots by a real Chromium, of a page that wants to get at this machine."""

from __future__ import annotations

import asyncio
import io
import os

import pytest
from PIL import Image

from batchscan.capture.browser import Chromium
from batchscan.errors import UsageError
from batchscan.web_client import ConnectTo
from tests.support.servers import scripted
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


async def test_a_missing_browser_is_reported(tmp_path):
    with pytest.raises(UsageError, match="Chromium or Chrome was not found"):
        Chromium.find(ConnectTo(), {"PATH": str(tmp_path)})


async def test_a_browser_that_makes_no_picture_gives_none():
    async with site() as web:
        assert (
            await Chromium("/bin/true", ConnectTo.of([web.rule()])).shoot("http://site.example/")
            is None
        )
