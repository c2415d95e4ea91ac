"""The proxy that is a browser's only way out: what it leads to, and what it does not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from batchscan.capture.filtering_proxy import FilteringProxy
from batchscan.web_client import ConnectTo
from tests.support.web_sites import names, ok, site


async def ask(port: int, head: bytes, then: bytes = b"") -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head)
    if then:
        answer = await reader.readuntil(b"\r\n\r\n")
        writer.write(then)
        answer += await reader.read()
    else:
        answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize(
    "head",
    [
        b"GET http://127.0.0.1/ HTTP/1.1\r\n\r\n",
        b"GET http://localhost/ HTTP/1.1\r\n\r\n",
        b"GET http://[::1]/ HTTP/1.1\r\n\r\n",
        b"GET http://[::ffff:127.0.0.1]/ HTTP/1.1\r\n\r\n",
        b"GET http://169.254.169.254/latest HTTP/1.1\r\n\r\n",
        b"GET http://2130706433/ HTTP/1.1\r\n\r\n",
        b"GET http://private.example/ HTTP/1.1\r\n\r\n",
        b"GET http://public.example:8080/ HTTP/1.1\r\n\r\n",
        b"GET http://user@public.example/ HTTP/1.1\r\n\r\n",
        b"GET file:///etc/passwd HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET http://[/ HTTP/1.1\r\n\r\n",
        b"CONNECT 127.0.0.1:443 HTTP/1.1\r\n\r\n",
        b"CONNECT [::1]:443 HTTP/1.1\r\n\r\n",
        b"CONNECT private.example:443 HTTP/1.1\r\n\r\n",
        b"CONNECT public.example:22 HTTP/1.1\r\n\r\n",
        b"CONNECT : HTTP/1.1\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
async def test_the_proxy_refuses_private_addresses(head):
    known: dict[str, Sequence[str] | Exception] = {
        "private.example": ["10.0.0.1"],
        "public.example": ["93.184.216.34"],
        "localhost": ["127.0.0.1"],
        "2130706433": ["127.0.0.1"],
        "": OSError("no name"),
    }
    proxy = FilteringProxy(lookup=names(known))
    async with proxy.serving() as port:
        answer = await ask(port, head)

    assert answer.startswith(b"HTTP/1.1 403 ")
    assert proxy.refused


async def test_a_rule_is_the_one_way_to_a_private_address_and_requests_arrive_whole():
    async with site(lambda path: ok(path.encode())) as web:
        proxy = FilteringProxy(ConnectTo.of([web.rule()]))
        async with proxy.serving() as port:
            head = (
                b"GET http://site.example/a?b=1 HTTP/1.1\r\nHost: site.example\r\n"
                b"Proxy-Connection: keep-alive\r\nProxy-Authorization: x\r\nCookie: c\r\n\r\n"
            )
            plain = await ask(port, head)
            inside = b"GET /tunnel HTTP/1.1\r\nHost: site.example\r\n\r\n"
            tunnel = await ask(port, b"CONNECT site.example:80 HTTP/1.1\r\n\r\n", inside)

    assert plain.endswith(b"/a?b=1")
    assert tunnel.startswith(b"HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 200 OK")
    assert tunnel.endswith(b"/tunnel")
    sent = web.heads[0].lower()
    assert "proxy-" not in sent
    assert "cookie: c" in sent
    assert "connection: close" in sent
    assert proxy.refused == []


async def test_a_browser_gets_no_more_than_is_allowed(monkeypatch):
    async with site(lambda _: ok(b"x" * 500_000)) as web:
        proxy = FilteringProxy(ConnectTo.of([web.rule()]))
        proxy._left = 100_000
        async with proxy.serving() as port:
            answer = await ask(port, b"GET http://site.example/ HTTP/1.1\r\n\r\n")

    assert 0 < len(answer) < 300_000


async def test_connections_that_are_open_at_the_end_are_closed_without_a_word(caplog):
    async with FilteringProxy().serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET ")
        await asyncio.sleep(0.05)
    assert await reader.read() == b""
    writer.close()

    assert caplog.records == []
