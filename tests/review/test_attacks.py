"""What somebody tries who can reach the port, or has the user open an address or a file of theirs."""

from __future__ import annotations

import asyncio
import gzip
import html
import itertools
import logging
import re
import sqlite3
from contextlib import closing

import pytest
import pytest_asyncio

from batchscan.ledger import FILE_NAME
from batchscan.review.connections import MAX_SILENT, SECONDS, Connections
from batchscan.review.server import MAX_BODY, ReviewServer
from tests.support.http_caller import Caller
from tests.support.review import fill, found, loaded, reading, serving

OURS = {"Sec-Fetch-Site": "same-origin"}
FORMS = ("/decide", "/undo", "/allow", "/capture", "/recheck", "/site/mark?site=one.com",
         "/site/capture?site=one.com", "/site/pack?site=one.com")  # fmt: skip
TYPES = (
    "application/x-www-form-urlencoded", "text/plain", "application/json", "image/png",
    "multipart/form-data; boundary=x", "multipart/form-data", "x", "",
    "application/x-www-form-urlencoded; charset=nonsense",
    "application/x-www-form-urlencoded; charset=utf-16",
)  # fmt: skip
BODIES = (
    b"word=reviewed&at=1-0", b"\xff\xfe=%ff%00", b"&" * 5000, b"--x\r\n",
    b'--x\r\nContent-Disposition: form-data; name="word"; filename="../../x"\r\n\r\nopen\r\n--x--\r\n',
    b'{"word": "reviewed"}',
)  # fmt: skip


@pytest_asyncio.fixture
async def inside(server):
    caller = Caller(server)
    await caller.enter()
    return caller


@pytest.fixture
def no_bug(caplog):
    """Nothing that was asked is said to be a bug, or fills the terminal."""
    with caplog.at_level(logging.WARNING):
        yield
    assert caplog.records == []


async def test_no_content_type_brings_a_form_of_another_page_in(inside, no_bug):
    for kind, path in itertools.product(TYPES, FORMS):
        headers = {"Content-Type": kind, "Sec-Fetch-Site": "cross-site"}
        status, _, content = await inside.ask("POST", path, BODIES[0], **headers)
        assert (status, b"nothing was changed" in content) == (403, True)


async def test_what_is_no_form_of_ours_changes_nothing_and_is_no_bug(inside, no_bug, tmp_path):
    for number, (kind, body) in enumerate(itertools.product(TYPES, BODIES)):
        path = ("/decide", "/undo", "/allow", "/recheck")[number % 4]
        status, *_ = await inside.ask("POST", path, body, **{"Content-Type": kind, **OURS})
        assert 400 <= status < 500 or (path, status) == ("/undo", 200), (kind, body, path)
    assert decisions(tmp_path) == 0


async def test_a_body_that_grows_when_it_is_unpacked_is_refused(inside, no_bug):
    bomb = gzip.compress(b"note=" + b"x" * (20 * MAX_BODY))
    status, *_ = await inside.ask("POST", "/decide", bomb, **{"Content-Encoding": "gzip", **OURS})
    assert status == 413


ODD = (
    "%00", "%ff", "%ED%A0%80", "%F0%9F%98%80", "%E2%80%AE", "1e999d", "99999999999999999d",
    "0000-00-00", "9999-12-31", "-1", "9" * 30, "any", "picture", "-", "..%2f..%2fetc%2fpasswd",
    "%0d%0aSet-Cookie:%20a=b", "%3Cscript%3E", "a" * 5000, "[::1]", "//evil.example", "xn--a", "*",
    f"1-{'0' * 16}", f"{'9' * 18}-{'f' * 16}", "javascript:alert(1)",
)  # fmt: skip
FIELDS = ("site", "folder", "kind", "state", "disposition", "since", "q", "by", "at", "token", "x")


async def test_no_address_breaks_the_page_or_leads_away_from_it(inside, no_bug):
    paths = itertools.cycle(("/", "/queue", "/queue/part", "/site", "/site/job", "/stats"))
    for value, field in itertools.product(ODD, FIELDS):
        path = f"{next(paths)}?{field}={value}"
        status, *_ = await inside.ask(path=path)
        assert status in (200, 400), path
    for value in ODD:
        for path in (f"/decide?x={value}", f"/site/mark?site={value}"):
            status, fields, _ = await inside.ask(path=path)
            assert status == 303
            assert re.match(r"/(queue|site)\?", fields["Location"])
            assert "Set-Cookie" not in fields


async def test_what_is_no_http_is_not_reported_as_a_bug_of_ours(inside, no_bug):
    for request in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",  # TLS
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Type: a\r\nContent-Type: b\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
    ):
        status, *_ = await inside.raw(request)
        assert status in (400, 403, 421, 431)


class Handler:
    """A connection, as far as it can be closed."""

    def __init__(self) -> None:
        self.closed = 0

    def force_close(self) -> None:
        self.closed += 1


def test_connections_on_which_nothing_is_asked_are_closed_and_others_are_not():
    now = 0.0
    open_ones = [Handler() for _ in range(MAX_SILENT + 3)]
    kept = Connections(lambda: now)
    kept.note(open_ones[0])
    kept.tidy(open_ones[:3])
    now = SECONDS / 2
    kept.tidy(open_ones[: MAX_SILENT + 1])
    assert [each.closed for each in open_ones] == [0] * len(open_ones)
    kept.tidy(open_ones)
    assert [place for place, each in enumerate(open_ones) if each.closed] == [1, 2]  # the oldest
    now = SECONDS * 1.5
    kept.tidy([open_ones[0], *open_ones[3:]])
    assert [place for place, each in enumerate(open_ones) if not each.closed] == [0]


@pytest.mark.slow
async def test_idle_connections_do_not_block_other_clients(inside):
    many = [await asyncio.open_connection("127.0.0.1", inside.port) for _ in range(MAX_SILENT + 9)]
    for _, writer in many:
        writer.write(b"GET / HTTP/1.1\r\nHost: ")
    assert (await inside.ask())[0] == 200
    async with asyncio.timeout(60):  # the first ones are closed, whenever that is
        for reader, _ in many[:9]:
            assert await reader.read() == b""
    for _, writer in many:
        writer.close()


NOTES = (
    "plain", "\u202egnp.exe", "a\u2066b\u2069c", "\x1b[2J\x07bell", "nul \x00 in it", "\u200b\ufeff",
    "<script>alert(1)</script>", "<!-- --></textarea><b>", "{{ 7 * 7 }}{% raw %}", "\r\nX-Header: y",
    "https://evil.example/", "=HYPERLINK(1)", "\ud800",
)  # fmt: skip


async def test_notes_are_kept_and_shown_as_text_that_hides_nothing(server, tmp_path):
    async with reading(server) as reader:
        for note in NOTES:
            await reader.show("disposition=any&site=three.org")
            text = note.encode(errors="replace").decode()
            page = await reader.post(
                "/decide?disposition=any&site=three.org", word="open", at=reader.seen, note=text
            )
            shown = re.search(r'<q dir="auto">(.*?)</q>', page, re.DOTALL)
            assert shown, note
            inside = html.unescape(shown[1])
            assert "<" not in shown[1]
            assert not re.search(
                "[\x00-\x08\x0b-\x1f\x7f\u200b\u202a-\u202e\u2066-\u2069\ufeff]", inside
            )
            assert "49" not in inside


LINKS = (
    "javascript:alert(1)", "JaVaScRiPt:alert(1)//https://one.com", "data:text/html,<script>alert(1)",
    "file:///etc/passwd", "vbscript:x", "\tjavascript:alert(1)", "//evil.example/x.jpg",
    "https://one.com@evil.example/", "blob:https://one.com/x", "ftp://one.com/x",
)  # fmt: skip


async def test_only_addresses_of_the_web_become_links_or_are_asked(tmp_path):
    for number, url in enumerate(LINKS):
        fill(tmp_path, {f"{number}.jpg": [found(url, url)]}, run=f"r{number}")
    async with serving(tmp_path) as server, reading(server) as reader:
        shown = 0
        await reader.show("by=picture")
        for pick in reader.picks:
            name = pick.partition(":")[0]
            page = await reader.get(f"/queue?by=picture&at={name}")
            for to in re.findall(r'\s(?:href|src|(?:form)?action)="([^"]*)"', page):
                assert re.match(r"/|#|https?://", html.unescape(to)), to
            shown += 1
            if "Capture now" in page:
                assert re.search(r'id="match-title".*?<a href="https?://', page, re.DOTALL)
        assert shown == len(LINKS)


async def test_a_file_that_is_downloaded_is_named_by_us(inside, tmp_path):
    for site in ("..%2f..%2fx", "a%22%0d%0aX:y", "%E2%80%AEgpj.com", "one.com"):
        status, fields, _ = await inside.ask(path=f"/site/case.zip?site={site}")
        assert status == 404
        await inside.ask("POST", f"/site/mark?site={site}", b"word=reviewed", **OURS)
        status, fields, _ = await inside.ask(
            "POST", f"/site/notice?site={site}", b"form=txt", **OURS
        )
        if status == 200:
            assert re.fullmatch(
                r'attachment; filename="notice-[a-z0-9.-]+\.txt"', fields["Content-Disposition"]
            )
        assert (status == 200) == (site == "one.com")


async def test_a_decision_is_whole_or_not_there_when_the_server_stops_meanwhile(tmp_path, no_bug):
    fill(tmp_path, {"a.jpg": [found(f"https://one.com/{n}") for n in range(5)]})
    server = ReviewServer(loaded(tmp_path))
    await server.__aenter__()
    async with reading(server) as reader:
        await reader.show()
        body = [("word", "reviewed"), ("part", "1"), *(("pick", each) for each in reader.picks)]
        with closing(sqlite3.connect(tmp_path / "state" / FILE_NAME)) as scan:
            scan.execute("BEGIN IMMEDIATE")  # the decision waits for it
            url = reader.base.with_path("/decide")
            deciding = asyncio.create_task(reader.session.post(url, data=body, headers=OURS))
            await asyncio.sleep(0.3)  # by now it waits; before that, nothing is decided
            stopping = asyncio.create_task(server.__aexit__(None, None, None))
            await asyncio.sleep(0)
            scan.rollback()
        await asyncio.wait([deciding, stopping])
        assert stopping.exception() is None
    assert decisions(tmp_path) in (0, 5)
    if not deciding.exception():
        assert decisions(tmp_path) == 5
    async with serving(tmp_path) as again, reading(again) as somebody:
        assert (await somebody.show()).left == (5 - decisions(tmp_path), 5)


def decisions(folder) -> int:
    """How many matches were decided about."""
    with closing(sqlite3.connect(folder / "state" / FILE_NAME)) as ledger:
        return int(ledger.execute("SELECT count(*) FROM decided").fetchone()[0])
