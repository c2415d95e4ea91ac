"""Sites that mean harm, as real servers on loopback."""

import asyncio
import gzip
import socket
import ssl
import subprocess
import zlib
from collections.abc import Sequence

import aiohttp
import pytest
from aiohttp import web

from batchscan.web_client import (
    ConnectTo,
    Failure,
    FailureKind,
    Fetched,
    FetchLimits,
    WebClient,
)
from batchscan.web_client.connector import GuardedConnector
from batchscan.web_client.fetch_results import FetchError
from batchscan.web_client.lookup import Names
from tests.support.servers import serving
from tests.support.web_sites import names, ok, redirect, site

LIMIT = 100_000


def packed(body: bytes) -> bytes:
    # The same each time, as tests are called by it; and fast, as every worker makes them.
    return gzip.compress(body, 1, mtime=0)


PICTURE = "http://site.example/a.jpg"


async def get(client: WebClient, url: str = PICTURE, limit: int = LIMIT) -> Fetched | Failure:
    return await client.get(url, max_bytes=limit)


def failed(found: Fetched | Failure) -> FailureKind:
    assert isinstance(found, Failure), found
    assert found.detail
    assert not found.detail.endswith(".")
    return found.kind


INWARDS = [
    "http://127.0.0.1/", "http://127.1/", "http://2130706433/", "http://0x7f.0.0.1/",
    "http://0177.0.0.1/", "http://0/", "http://localhost/", "http://[::1]/",
    "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/", "http://[fec0::1]/", "http://[fe80::1%25lo]/", "http://[ff02::1]/",
    "http://224.0.0.1/", "http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/",
    "http://168.63.129.16/", "http://100.100.100.200/", "http://10.0.0.1/", "http://0.0.0.0/",
    "https://192.168.0.1/", "http://user:secret@93.184.216.34/", "http://93.184.216.34:22/",
    "http://93.184.216.34:8080/", "ftp://93.184.216.34/", "file:///etc/passwd", "data:,x",
    "gopher://93.184.216.34/", "http://evil.example\\@93.184.216.34/", "http://exa mple/",
    "http:///a.jpg", "http://[::1/", "http://93.184.216.34:99999/", "javascript:alert(1)", "",
    "//127.0.0.1/", "http://１２７.０.０.１/", "http://ⓛocalhost/", "http://127.0.0.1./",
    "http://" + "a" * 300 + "/", "http://xn--a/", "http://\u202e.example/",
]  # fmt: skip


@pytest.mark.parametrize("url", INWARDS)
async def test_nothing_that_is_not_public_is_connected_to(url, listening):
    found = await get(WebClient(limits=FetchLimits(5.0, 0.0)), url)

    assert failed(found) in {FailureKind.ADDRESS, FailureKind.NO_SUCH_NAME, FailureKind.DNS}
    assert found.hops == ()
    assert listening == []


@pytest.mark.parametrize("url", [each for each in INWARDS if each])
async def test_a_redirect_is_not_followed_to_a_refused_address(url, listening):
    async with site(
        lambda path: redirect(url.replace("ⓛ", "l").encode().decode("latin-1"))
    ) as found:
        answer = await get(found.client())

    if url.startswith(("//", "http")):
        assert failed(answer) is not FailureKind.CONNECTION
    assert isinstance(answer, Failure)
    assert {hop.ip for hop in answer.hops} == {"127.0.0.1"}
    assert set(found.paths) == {"/robots.txt", "/a.jpg"}
    assert listening == []


@pytest.fixture
async def listening(monkeypatch):
    """What is connected to, besides the sites of a test, by the system's own account."""
    connected: list[object] = []
    sites: set[int] = set()
    listen = asyncio.start_server
    loop = asyncio.get_running_loop()
    connect = loop.sock_connect

    async def note_site(*args, **kwargs):
        server = await listen(*args, **kwargs)
        sites.add(server.sockets[0].getsockname()[1])
        return server

    async def note(sock, address):
        if address[1] not in sites:
            connected.append(address)
            if address[0] not in ("127.0.0.1", "::1"):
                raise ConnectionRefusedError("no test goes there")
        return await connect(sock, address)

    monkeypatch.setattr(asyncio, "start_server", note_site)
    monkeypatch.setattr(loop, "sock_connect", note)
    return connected


async def test_an_exception_is_one_for_its_own_host_and_port_only():
    async with site(lambda path: redirect(f"http://127.0.0.1:{found.port}/secret")) as found:
        answer = await get(found.client())

    assert failed(answer) is FailureKind.ADDRESS
    assert "/secret" not in found.paths


async def test_a_name_that_means_something_else_the_second_time_is_looked_up_once_a_request(
    listening,
):
    turns = iter([["127.0.0.1"], ["93.184.216.34"], ["127.0.0.1"]])
    asked = []

    async def changing(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return next(turns)

    client = WebClient(limits=FetchLimits(2.0, 0.0), lookup=changing)
    async with site(lambda path: ok()) as found:
        first = await get(client, "http://rebinding.example/")
        second = await get(client, "http://rebinding.example/again")

    assert failed(first) is FailureKind.ADDRESS
    assert isinstance(first, Failure)
    assert "127.0.0.1" in first.detail
    assert failed(second) is not None  # whatever the network said: it was the public one
    assert found.heads == []


async def test_a_name_with_public_and_private_addresses_leads_to_the_public_ones_only(listening):
    client = WebClient(
        limits=FetchLimits(1.0, 0.0),
        lookup=names({"both.example": ["127.0.0.1", "93.184.216.34", "::1", "::ffff:10.0.0.1"]}),
    )

    await get(client, "http://both.example/")

    assert {address[0] for address in listening} <= {"93.184.216.34"}


async def test_the_peer_is_looked_at_once_more_when_it_is_connected():
    async with site(lambda path: ok()) as found:
        answers = iter([True, False])
        connector = GuardedConnector(["127.0.0.1"], found.port, lambda *_: next(answers))
        async with aiohttp.ClientSession(connector=connector) as session:
            with pytest.raises(OSError, match="not a public address"):
                await session.get("http://site.example/")

    assert connector.refused == "127.0.0.1"
    assert found.heads == []


async def test_ten_thousand_redirects():
    async with site(lambda path: redirect(f"/{len(found.heads)}.jpg")) as found:
        answer = await get(found.client())

    assert failed(answer) is FailureKind.REDIRECTS
    assert len(answer.hops) == 11


async def test_a_redirect_to_itself_and_a_damaged_one():
    async with site(lambda path: redirect("http://[" if path == "/bad" else PICTURE)) as found:
        assert failed(await get(found.client())) is FailureKind.REDIRECTS
        bad = await get(found.client(), "http://site.example/bad")

    assert failed(bad) in {FailureKind.BAD_RESPONSE, FailureKind.ADDRESS}


async def endless(reader, writer):
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(bytes(65_536))
        await writer.drain()


async def drip(reader, writer):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


async def silent(reader, writer):
    await asyncio.sleep(60)


async def hundreds(reader, writer):
    while True:
        writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


async def header_flood(reader, writer):
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-More: and more\r\n" * 1000)
        await writer.drain()


async def one_long_header(reader, writer):
    writer.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while True:
        writer.write(b"x" * 65_536)
        await writer.drain()


async def endless_chunk_size(reader, writer):
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"0" * 65_536)
        await writer.drain()


async def hang_up(reader, writer):
    writer.close()


@pytest.mark.parametrize(
    ("script", "kinds"),
    [
        (endless, {FailureKind.TOO_LARGE}),
        (drip, {FailureKind.TIMEOUT}),
        (silent, {FailureKind.TIMEOUT}),
        (hundreds, {FailureKind.TIMEOUT, FailureKind.BAD_RESPONSE}),
        (header_flood, {FailureKind.BAD_RESPONSE}),
        (one_long_header, {FailureKind.BAD_RESPONSE}),
        (endless_chunk_size, {FailureKind.BAD_RESPONSE, FailureKind.TIMEOUT}),
        (hang_up, {FailureKind.CONNECTION}),
    ],
)
async def test_bodies_and_heads_that_do_not_end(script, kinds):
    async with site(script=script) as found:
        answer = await get(found.client(limits=FetchLimits(seconds=0.4, pause=0.0)))

    assert failed(answer) in kinds


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", FailureKind.BAD_RESPONSE),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more", FailureKind.BAD_RESPONSE),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nhello", FailureKind.BAD_RESPONSE),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", FailureKind.BAD_RESPONSE),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n", FailureKind.TOO_LARGE),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", FailureKind.BAD_RESPONSE),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", FailureKind.BAD_RESPONSE),
        (b"SSH-2.0-OpenSSH_9.6\r\n", FailureKind.BAD_RESPONSE),
        (b"", FailureKind.CONNECTION),
        (ok(b"no gzip", "Content-Encoding: gzip"), FailureKind.BAD_RESPONSE),
        (ok(packed(b"x" * 99)[:-9], "Content-Encoding: gzip"), FailureKind.BAD_RESPONSE),
        (ok(b"x", "Content-Encoding: br"), FailureKind.BAD_RESPONSE),
        (ok(b"x", "Content-Encoding: gzip, gzip, gzip, gzip"), FailureKind.BAD_RESPONSE),
        (ok(packed(bytes(10**7)), "Content-Encoding: gzip"), FailureKind.TOO_LARGE),
        (ok(zlib.compress(bytes(10**7), 1), "Content-Encoding: deflate"), FailureKind.TOO_LARGE),
        (
            ok(packed(packed(bytes(10**7))), "Content-Encoding: gzip, gzip"),
            FailureKind.TOO_LARGE,
        ),
        (ok(b"", "cf-mitigated: challenge", status="403 Forbidden"), FailureKind.CHALLENGE),
        (ok(b"<html>", "CF-Mitigated: Challenge"), FailureKind.CHALLENGE),
    ],
)  # fmt: skip
async def test_mislabelled_answers_are_reported(answer, kind):
    async with site(lambda path: answer) as found:
        assert failed(await get(found.client())) is kind


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (ok(b"hello"), b"hello"),
        (b"HTTP/1.0 200 OK\r\n\r\nhello", b"hello"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", b"hello"),
        (ok(packed(b"hello"), "Content-Encoding: gzip"), b"hello"),
        (ok(packed(b"hel") + packed(b"lo"), "Content-Encoding: gzip"), b"hello"),
        (ok(zlib.compress(b"hello"), "Content-Encoding: deflate"), b"hello"),
        (ok(zlib.compress(b"hello")[2:-4], "Content-Encoding: deflate"), b"hello"),
        (ok(packed(zlib.compress(b"hello")), "Content-Encoding: deflate, GZIP"), b"hello"),
        (ok(b"hello", "Content-Encoding: identity"), b"hello"),
        (ok(b"", "Content-Encoding: gzip"), b""),
        (ok(b"gone", status="404 Not Found"), b"gone"),
        (redirect("")[:-4] + b"\r\n\r\n", b""),
    ],
)
async def test_answers_that_are_right(answer, body):
    async with site(lambda path: answer) as found:
        got = await get(found.client())

    assert isinstance(got, Fetched), got
    assert got.body == body
    assert got.final.ip == "127.0.0.1"
    assert got.final.url == PICTURE


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://site.example/ok#part", "/ok"),
        ("HTTP://SITE.example:/ok", "/ok"),
        ("http://site.example:443/ok", "/ok"),
        (" http://site.example/ok\n", "/ok"),
        ("http://site.example", "/"),
        ("http://site.example?a=1", "/?a=1"),
        ("http://site.example/a b.jpg?c=d e&f=%2B+g", "/a%20b.jpg?c=d%20e&f=%2B+g"),
        ("http://site.example/größe.jpg", "/gr%C3%B6%C3%9Fe.jpg"),
        ("http://site.example/%e9%zz%2F|", "/%e9%zz%2F%7C"),
        ("http://site.example/a;b=c,d:e@f/[g]", "/a;b=c,d:e@f/[g]"),
        ("http://site.example./ok", "/ok"),
        ("http://bücher.example/ok", "/ok"),
    ],
)
async def test_an_address_is_asked_for_as_it_is_written(url, path):
    async with site(lambda path: ok()) as found:
        await get(found.client(f"::127.0.0.1:{found.port}"), url)

    assert found.paths[-1] == path


async def test_what_was_transferred_is_kept_as_it_was():
    small = packed(b"hello" * 100)
    async with site(
        lambda path: ok(small, "Content-Encoding: gzip", "X-Odd: \xff\xfe", "x-ODD: 2")
    ) as found:
        got = await get(found.client())

    assert isinstance(got, Fetched)
    assert got.final.body == small
    assert got.body == b"hello" * 100
    assert got.final.headers[1:] == (
        (b"Content-Encoding", b"gzip"), (b"X-Odd", b"\xff\xfe"), (b"x-ODD", b"2"),
    )  # fmt: skip
    assert (got.final.version, got.final.status, got.final.reason) == ("1.1", 200, "OK")


async def test_an_error_page_without_end_is_still_its_status():
    async def script(reader, writer):
        writer.write(b"HTTP/1.1 404 Not Found\r\n\r\n")
        while True:
            writer.write(bytes(65_536))
            await writer.drain()

    async with site(script=script) as found:
        got = await get(found.client())

    assert isinstance(got, Fetched)
    assert got.status == 404
    assert not got.final.complete
    assert len(got.body) == LIMIT


async def test_no_cookie_proxy_or_password_of_the_user_is_used(monkeypatch, tmp_path):
    monkeypatch.setenv("HTTP_PROXY", "http://user:secret@127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://user:secret@127.0.0.1:1")
    (tmp_path / ".netrc").write_text("machine site.example login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    cookie = ok(b"x", "Set-Cookie: tracking=1; Path=/")
    async with site(lambda path: cookie) as found:
        client = found.client()
        await get(client)
        await get(client, PICTURE + "?again#fragment")

    assert found.paths == ["/robots.txt", "/a.jpg", "/a.jpg?again"]
    sent = "".join(found.heads).lower()
    assert not any(
        word in sent for word in ("cookie", "secret", "authorization", "referer", "proxy")
    )
    assert sent.count("host: site.example\r\n") == 3
    assert sent.count("user-agent: batchscan/") == 3


async def test_a_certificate_that_nobody_vouches_for(tls_site):
    answer = await get(tls_site, "https://site.example/")

    assert failed(answer) is FailureKind.TLS


@pytest.fixture
async def tls_site(tmp_path):
    """A client for a site with a certificate of its own making."""
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    await asyncio.to_thread(
        subprocess.run,
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=site.example",
         "-addext", "subjectAltName=DNS:site.example"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    yield WebClient(
        connect_to=ConnectTo.of([f"site.example:443:127.0.0.1:{port}"]),
        limits=FetchLimits(3.0, 0.0),
    )
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize(
    ("host", "errors", "kind"),
    [
        ("gone.invalid", {}, FailureKind.NO_SUCH_NAME),
        ("gone.com", {"api.copyleaks.com": ["93.184.216.34"]}, FailureKind.NO_SUCH_NAME),
        ("gone.com", {}, FailureKind.DNS),  # nothing at all is found: it is this machine
        ("later.com", {"later.com": socket.gaierror(socket.EAI_AGAIN, "later")}, FailureKind.DNS),
        ("empty.com", {"empty.com": socket.gaierror(socket.EAI_NODATA, "none")}, FailureKind.DNS),
    ],
)
async def test_a_name_is_none_only_where_names_can_be_looked_up(host, errors, kind):
    absent = socket.gaierror(socket.EAI_NONAME, "no such name")
    table = {"gone.invalid": absent, "gone.com": absent, "api.copyleaks.com": absent, **errors}

    answer = await get(
        WebClient(limits=FetchLimits(1.0, 0.0), lookup=names(table)), f"http://{host}/"
    )

    assert failed(answer) is kind


async def test_a_machine_that_goes_offline_makes_no_name_none():
    absent = socket.gaierror(socket.EAI_NONAME, "no such name")
    table: dict[str, Sequence[str] | Exception] = {"a.com": ["93.184.216.34"], "b.com": absent}
    table["api.copyleaks.com"] = absent
    now = 100.0
    found = Names(names(table), lambda: now)
    await found.addresses_of("a.com", 80)
    now += 3600

    with pytest.raises(FetchError) as caught:
        await found.addresses_of("b.com", 80)
    assert caught.value.kind is FailureKind.DNS


async def test_a_real_http_server_is_got_over_a_redirect():
    async def hello(request: web.Request) -> web.Response:
        return web.Response(text=f"{request.host}{request.raw_path}")

    async def away(request: web.Request) -> web.Response:
        return web.Response(status=301, headers={"Location": "http://other.example/b%2Fc?d=%7E#e"})

    async with serving(web.get("/a", away), web.get("/{rest:.*}", hello)) as url:
        port = url.rpartition(":")[2]
        client = WebClient(
            connect_to=ConnectTo.of([f"::127.0.0.1:{port}"]), limits=FetchLimits(5.0, 0.0)
        )
        got = await client.get("http://first.example/a", max_bytes=LIMIT)

    assert isinstance(got, Fetched)
    assert [hop.status for hop in got.hops] == [301, 200]
    assert got.body == b"other.example/b%2Fc?d=%7E"
