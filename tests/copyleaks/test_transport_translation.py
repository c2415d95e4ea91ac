from __future__ import annotations

import pytest

from batchscan.copyleaks.errors import ConnectionFailed, CopyleaksError, WrongAddress
from batchscan.copyleaks.requests import Request
from tests.support.servers import head_of, scripted, transport, whole_request

ELSEWHERE = Request("POST", "https://api.example.com/v1", "application/json", b"{}", token="tok")


async def through_proxy(proxy: str) -> CopyleaksError:
    async with transport(proxy_for=lambda url: proxy) as sender:
        with pytest.raises(CopyleaksError) as failure:
            await sender.send(ELSEWHERE)
    return failure.value


async def test_a_refusing_proxy_receives_no_request():
    asked: list[bytes] = []

    async def script(reader, writer):
        asked.append(await head_of(reader))
        writer.write(b"HTTP/1.1 407 Who are you?\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with scripted(script) as url:
        failure = await through_proxy(url)

    assert isinstance(failure, ConnectionFailed)
    assert (failure.sent, failure.reached) == (False, False)
    assert "proxy" in str(failure)
    assert asked[0].startswith(b"CONNECT api.example.com:443")
    assert b"tok" not in asked[0]


async def test_a_proxy_that_is_not_there_is_named_without_its_password():
    failure = await through_proxy("http://user:pass-word@127.0.0.1:9")

    assert isinstance(failure, ConnectionFailed)
    assert not failure.reached
    assert "the proxy to api.example.com" in str(failure)
    assert "pass-word" not in repr(failure) + str(failure)


@pytest.mark.parametrize("url", ["http://", "https://a..b/", f"https://{'a' * 70}.com/"])
async def test_an_invalid_address_is_reported_as_wrong(url):
    async with transport() as sender:
        with pytest.raises(WrongAddress, match="cannot be used"):
            await sender.send(Request("POST", url, "application/json", b"{}"))


async def test_half_an_answers_head_is_not_repeated_in_the_message():
    async def script(reader, writer):
        await whole_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nSet-Cookie: secret")
        await writer.drain()

    async with scripted(script) as url, transport() as sender:
        with pytest.raises(ConnectionFailed, match="it hung up") as failure:
            await sender.send(Request("POST", url, "application/json", b"{}"))

    assert "secret" not in str(failure.value)
    assert failure.value.sent
