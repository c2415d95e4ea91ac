from __future__ import annotations

import asyncio
import os

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.emulator import Emulator, EmulatorConfig, read_faults
from batchscan.emulator.web_files import read_below, shown_on, web_files
from tests.support import pictures
from tests.support.emulator_client import lenient

SECRET = b"a secret"


@pytest.fixture
def root(tmp_path):
    """A web beside things that are none of its visitors' business."""
    pictures.tree(tmp_path, {"secret.png": SECRET, "outside/secret.png": SECRET})
    files = {
        "a b.png": pictures.png(),
        "deep/er/é.JPG": pictures.jpeg(),
        "page.html": b"<script>alert(1)</script>",
        "notes.txt": SECRET,
        ".env": SECRET,
        "drawing.svg": SECRET,
    }
    root = pictures.tree(tmp_path / "web", files)
    (root / "link.png").symlink_to(tmp_path / "secret.png")
    (root / "inner.png").symlink_to(root / "a b.png")
    (root / "folder").symlink_to(tmp_path / "outside")
    (root / "dir.png").mkdir()
    os.mkfifo(root / "fifo.png")
    return root


def test_the_files_of_a_web_are_pictures_and_pages(root):
    assert list(web_files(root)) == ["a b.png", "page.html", "deep/er/é.JPG"]


def test_a_folder_that_cannot_be_read_has_no_files(tmp_path):
    assert list(web_files(tmp_path / "none")) == []


async def test_pictures_and_pages_are_served_as_what_they_are(serve, root):
    vendor = await serve(lenient(web=root, search=False), login=False)
    path = vendor.emulator.web_url("a b.png").removeprefix(vendor.emulator.url)
    picture = await vendor.ask("GET", path)
    assert picture.body == pictures.png()
    assert picture.headers["Content-Type"] == "image/png"
    assert picture.headers["X-Content-Type-Options"] == "nosniff"
    page = await vendor.ask("GET", "/web/page.html")
    assert page.headers["Content-Type"] == "text/html"
    assert "sandbox" in page.headers["Content-Security-Policy"]
    assert "allow-scripts" not in page.headers["Content-Security-Policy"]
    path = vendor.emulator.web_url("deep/er/é.JPG").removeprefix(vendor.emulator.url)
    assert (await vendor.ask("GET", path)).body == pictures.jpeg()


@pytest.mark.parametrize(
    "path",
    [
        "",
        "notes.txt",
        ".env",
        "drawing.svg",
        "none.png",
        "link.png",
        "inner.png",
        "folder/secret.png",
        "dir.png",
        "fifo.png",
        "../secret.png",
        "%2e%2e/secret.png",
        "..%2fsecret.png",
        "deep/../a%20b.png",
        "deep/..%2f..%2fsecret.png",
        "/a%20b.png",
        "%2fetc/passwd.png",
        "a%20b.png%00.html",
        "a%20b.png/x.png",
        "x" * 300 + ".png",
    ],
)
async def test_nothing_else_is_served(serve, root, path):
    vendor = await serve(lenient(web=root, search=False), login=False)
    host, port = vendor.emulator.url.removeprefix("http://").split(":")
    # By hand: a client would tidy the path
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET /web/{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    assert answer.split(b" ", 2)[1] in (b"404", b"400")
    assert SECRET not in answer


async def test_without_a_web_nothing_is_served(serve):
    vendor = await serve(login=False)
    assert (await vendor.ask("GET", "/web/a.png")).status == 404


@given(st.lists(st.sampled_from(["..", ".", "", "deep", "er", "é.JPG", "secret.png", "outside"])))
def test_no_path_leads_outside(tmp_path_factory, parts):
    base = tmp_path_factory.getbasetemp() / "paths"
    if not base.exists():
        pictures.tree(base, {"secret.png": SECRET, "outside/secret.png": SECRET})
        pictures.tree(base / "web", {"deep/er/é.JPG": b"served", "é.JPG": b"served"})
    try:
        assert read_below(base / "web", "/".join(parts)) == b"served"
    except OSError:
        return


def test_a_page_shows_what_it_refers_to():
    html = """
      <meta property="og:image" content="/web/social.png"><meta name="description" content="x.png">
      <img src="one.jpg?v=2#top"> <IMG SRC='../two%20three.jpg' alt="x">
      <picture><source srcset="four.webp 1x, big/five.webp 2x"></picture>
      <a href="/six.png">six</a> <a>nothing</a> <img>
      <img src="https://example.com/other.jpg"> <img src="//example.com/other.jpg">
      <img src="data:image/png;base64,AAAA"> <img src="../../../up.png"> <a href="http://[::1">
    """
    assert shown_on("news/page.html", html) == {
        "social.png",
        "news/one.jpg",
        "two three.jpg",
        "news/four.webp",
        "news/big/five.webp",
        "six.png",
    }


def test_an_international_site_is_written_in_punycode():
    emulator = Emulator(EmulatorConfig(sites=True, search=False))
    assert emulator.web_url("bücher.example/ä.jpg") == "http://xn--bcher-kva.example/%C3%A4.jpg"


@given(st.text())
def test_any_text_can_be_read_as_a_page(text):
    assert isinstance(shown_on("page.html", text), set)
    assert isinstance(shown_on("page.html", f'<img src="{text}">'), set)


@pytest.mark.parametrize(
    ("action", "status", "body"),
    [
        ("{type: answer, status: 404, body: html}", 404, None),
        ("{type: replace, by: b.example/page.html}", 200, b"<p>moved</p>"),
        ("{type: replace, by: nowhere.jpg}", 404, None),
        ("{type: answer, status: 403, body: empty, headers: {cf-mitigated: challenge}}", 403, b""),
    ],
)
async def test_a_file_of_the_web_can_be_lost_changed_and_blocked(tmp_path, action, status, body):
    web = tmp_path / "web"
    pictures.tree(web, {"a.example/x.jpg": b"x", "a.example/y.jpg": b"y"})
    pictures.tree(web, {"b.example/page.html": b"<p>moved</p>"})
    rules = tmp_path / "faults.yaml"
    rules.write_text(
        f"- {{route: web, file_name: 'a.example/x*', action: {action}}}\n"
        "- {action: {type: answer, status: 500}}\n"  # any: of the service, not of its web
    )
    config = EmulatorConfig(web=web, sites=True, search=False, faults=read_faults(rules))
    async with Emulator(config) as emulator, aiohttp.ClientSession() as session:
        for url, host in (
            (f"{emulator.url}/web/a.example/x.jpg", None),
            (f"{emulator.url}/x.jpg", "a.example"),
        ):
            headers = {"Host": host} if host else {}
            async with session.get(url, headers=headers) as answer:
                assert answer.status == status
                assert body is None or await answer.read() == body
        async with session.get(f"{emulator.url}/y.jpg", headers={"Host": "a.example"}) as answer:
            assert (answer.status, await answer.read()) == (200, b"y")
        async with session.get(f"{emulator.url}/", headers={"Host": "c.example"}) as answer:
            assert answer.status == 404
