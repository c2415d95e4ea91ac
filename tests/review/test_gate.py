"""Who may use the page: over a real socket, as other programs and other pages would try."""

from __future__ import annotations

import re
import socket

import pytest_asyncio

from batchscan.review.gate import HEADERS
from batchscan.review.server import MAX_BODY
from tests.support.http_caller import Caller


@pytest_asyncio.fixture
async def caller(server):
    return Caller(server)


@pytest_asyncio.fixture
async def inside(caller):
    await caller.enter()
    return caller


async def test_the_token_becomes_a_cookie_that_scripts_and_other_sites_do_not_get(caller):
    cookie = await caller.enter()
    name, _, rest = cookie.partition("=")
    assert name == f"batchscan_review_{caller.port}"
    assert {part.strip() for part in rest.split(";")[1:]} == {
        "HttpOnly",
        "Path=/",
        "SameSite=Strict",
    }
    assert caller.token not in cookie
    assert (await caller.ask())[0] == 200


async def test_the_token_works_once(caller):
    await caller.enter()
    status, fields, content = await caller.ask(path=f"/?token={caller.token}", cookie=False)
    assert status == 403
    assert "Set-Cookie" not in fields
    assert b"opens this page once" in content


async def test_only_a_browser_that_opens_the_page_uses_the_token_up(caller):
    for method in ("HEAD", "POST", "OPTIONS"):
        await caller.ask(method, f"/?token={caller.token}", Origin=f"http://{caller.host}")
    await caller.enter()


async def test_a_wrong_token_opens_nothing_and_leaves_the_right_one(caller):
    for token in ("", "x", "é", "%ff", "A" * 43):
        assert (await caller.ask(path=f"/?token={token}"))[0] in (400, 403)
    await caller.enter()


PATHS = (
    "/", "/queue", "/queue/part", "/site?site=one.com", "/picture/1/large", "/static/review.js", "/x",
)  # fmt: skip


async def test_nothing_is_shown_without_the_cookie(inside):
    name = f"batchscan_review_{inside.port}"
    for cookie in ("", f"{name}=x", f"{name}=", inside.cookie.replace(str(inside.port), "1")):
        for path in PATHS:
            status, _, content = await inside.ask(path=path, cookie=False, Cookie=cookie)
            assert status == 403
            assert b"one.com" not in content


HOSTS = (
    "evil.example", "evil.example:{port}", "127.0.0.1", "localhost", "127.0.0.1:1",
    "localhost.:{port}", "127.0.0.1.evil.example:{port}", "[::1]:{port}", "0.0.0.0:{port}",
    "127.0.0.1:{port}@evil.example", "LOCALHOST:{port}", "127.1:{port}", "",
    "[::ffff:127.0.0.1]:{port}", "[::ffff:7f00:1]:{port}", "[::1%25lo]:{port}", "0:{port}",
    "2130706433:{port}", "0x7f.1:{port}", "127.0.0.1.:{port}", "127.0.0.1:0{port}", "localhost:{port}:80",
)  # fmt: skip


async def test_under_any_other_name_there_is_nothing_even_with_the_cookie(inside):
    for host in HOSTS:
        for path in PATHS:
            status, _, content = await inside.ask(path=path, host=host.format(port=inside.port))
            assert status in (400, 421)
            assert b"one.com" not in content


async def test_localhost_is_a_name_of_this_machine(inside):
    assert (await inside.ask(host=f"localhost:{inside.port}"))[0] == 200


async def test_no_host_or_two_of_them_is_refused(inside):
    for hosts in (b"", f"Host: {inside.host}\r\nHost: evil.example\r\n".encode()):
        cookie = f"Cookie: {inside.cookie}\r\n".encode()
        request = b"GET /queue HTTP/1.1\r\n" + hosts + cookie + b"Connection: close\r\n\r\n"
        status, _, content = await inside.raw(request)
        assert status in (400, 421)
        assert b"one.com" not in content


async def test_the_token_is_not_taken_under_another_name(caller):
    other = f"evil.example:{caller.port}"
    status, *_ = await caller.ask(path=f"/?token={caller.token}", host=other)
    assert status == 421
    await caller.enter()


FORM = b"word=reviewed&at="
OTHERS: tuple[dict[str, str], ...] = (
    {},
    {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site"},  # another port of this machine
    {"Sec_Fetch_Site": "none"},
    {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "same-origin", "Origin": "{own}"},
    {"Sec_Fetch_Mode": "navigate"},
    {"Sec_Fetch_Mode": "same-origin"},
    {"Origin": "null"},
    {"Origin": "http://evil.example"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "https://{host}"},
    {"Origin": "{own}.evil.example"},
    {"Referer": "{own}/queue"},
)


async def test_forms_of_other_pages_change_nothing(inside):
    own = f"http://{inside.host}"
    for headers in OTHERS:
        sent = {name: value.format(own=own, host=inside.host) for name, value in headers.items()}
        for path in ("/decide", "/undo", "/allow", "/site/mark?site=one.com", "/site/pack"):
            status, _, content = await inside.ask("POST", path, FORM, **sent)
            assert (status, path, sent) == (403, path, sent)
            assert b"nothing was changed" in content


async def test_our_own_forms_are_taken_with_or_without_sec_fetch_site(inside):
    for headers in ({"Sec_Fetch_Site": "same-origin"}, {"Origin": f"http://{inside.host}"}):
        status, _, content = await inside.ask("POST", "/decide", FORM, **headers)
        assert (status, b"no match is selected" in content) == (400, True)


async def test_other_methods_do_nothing(inside):
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "QUERY"):
        status, *_ = await inside.ask(method, "/decide", Sec_Fetch_Site="same-origin")
        assert status in (400, 405)


async def test_every_answer_has_the_headers_that_protect_it(inside):
    asked = [
        await inside.ask(path="/"),
        await inside.ask(path="/queue"),
        await inside.ask(path="/picture/1/large"),
        await inside.ask(path="/static/review.css"),
        await inside.ask(path="/nothing"),
        await inside.ask(path="/queue?kind=x"),
        await inside.ask(path="/", cookie=False),
        await inside.ask(path="/", host="evil.example"),
        await inside.ask("POST", "/decide", FORM),
    ]
    for _, fields, _ in asked:
        for name, value in HEADERS.items():
            assert fields[name] == value
    policy = dict(
        part.strip().split(" ", 1) for part in HEADERS["Content-Security-Policy"].split(";")
    )
    assert policy.pop("default-src") == "'none'"
    assert set(policy.values()) <= {"'self'", "'none'"}
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"


async def test_pages_hold_no_script_or_style_of_their_own_and_name_nobody_else(inside):
    for path in (
        "/",
        "/queue",
        "/queue?disposition=any&by=picture",
        "/site?site=one.com",
        "/x",
    ):
        _, _, content = await inside.ask(path=path)
        text = content.decode()
        assert not re.search(
            r"<style|\sstyle=|<script(?! src=\"/static/)|\son\w+=|<base|<iframe|<object", text
        )
        loaded = re.findall(r'\s(?:src|action|href)="([^"]*)"', re.sub(r"<a [^>]*>", "", text))
        assert loaded
        assert all(address.startswith(("/", "#")) for address in loaded)
        for link in re.findall(r'<a [^>]*href="https?:[^>]*>', text):
            assert 'rel="noopener noreferrer nofollow"' in link


async def test_a_form_that_is_too_long_is_refused(inside):
    body = b"note=" + b"x" * MAX_BODY
    status, *_ = await inside.ask("POST", "/decide", body, Sec_Fetch_Site="same-origin")
    assert status == 413


async def test_pictures_and_files_are_named_by_number_only(inside):
    for path in (
        "/picture/../../etc/passwd/large", "/picture/%2e%2e%2fetc%2fpasswd/large",
        "/picture//etc/passwd/large", "/picture/1%00/large", "/picture/-1/large",
        "/picture/1.0/large", f"/picture/{'9' * 30}/large", "/static/../server.py",
        "/static/%2e%2e%2fserver.py", "/static/queue.html", "/static//etc/passwd",
    ):  # fmt: skip
        status, _, content = await inside.ask(path=path)
        assert (status in (400, 404), path) == (True, path)
        assert b"root:" not in content


async def test_a_picture_that_the_ledger_does_not_know_is_none(inside):
    status, fields, _ = await inside.ask(path="/picture/999999999/large")
    assert (status, fields["Content-Type"].partition(";")[0]) == (200, "image/svg+xml")


async def test_it_listens_on_this_machine_s_own_address_only(inside):
    with socket.socket() as other:  # which could not be had if it listened on all of them
        other.bind(("127.0.0.2", inside.port))
