"""Bytes that belong to no answer, over a real server that speaks HTTP byte by byte."""

from __future__ import annotations

import asyncio
import re

import pytest

from batchscan.copyleaks.errors import BadResponse, ConnectionFailed
from batchscan.copyleaks.requests import Request
from tests.support.servers import head_of, scripted, transport, whole_request

GARBAGE = b"\x16\x03\x01 nothing of HTTP\r\n\r\n"


def ok(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def chunked(body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


def post(url: str, body: bytes = b"picture") -> Request:
    return Request("POST", url + "/x", "text/plain", body)


class Service:
    """Answers each request by its number; `stray` comes after each answer, `after` seconds later."""

    def __init__(self, framed=ok, stray=b"", after=0.0) -> None:
        self.framed, self.stray, self.after = framed, stray, after
        self.connections = 0
        self.requests: list[bytes] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while True:
            self.requests.append(await whole_request(reader))
            answer = self.framed(b'{"n":%d}' % len(self.requests))
            stray = self.stray or answer
            if self.after:
                writer.write(answer)
                await asyncio.sleep(self.after)
                writer.write(stray)
            else:
                writer.write(answer + stray)


@pytest.mark.parametrize("framed", [ok, chunked])
@pytest.mark.parametrize("stray", [GARBAGE, b"x", b"\r\n", ok(b'{"n":9}'), b""])
@pytest.mark.parametrize("after", [0.0, 0.05])
@pytest.mark.parametrize("proxied", [False, True])
async def test_what_follows_an_answer_costs_neither_it_nor_the_next(framed, stray, after, proxied):
    service = Service(framed, stray, after)  # no stray bytes: the answer once more
    async with scripted(service) as url:
        proxy_for = (lambda _: url) if proxied else (lambda _: None)
        at = "http://api.example" if proxied else url
        async with transport(proxy_for=proxy_for, read_timeout=5.0) as connection:
            answers = []
            for _ in range(3):
                answers.append((await connection.send(post(at))).body)
                await asyncio.sleep(2 * after)

    assert answers == [b'{"n":1}', b'{"n":2}', b'{"n":3}']
    assert service.connections == 3
    assert all(re.match(rb"POST (http://api.example)?/x ", sent) for sent in service.requests)


async def test_connections_are_kept_where_nothing_but_answers_comes():
    connections = 0

    async def script(reader, writer):
        nonlocal connections
        connections += 1
        while await whole_request(reader):
            writer.write(ok(b"{}"))

    async with scripted(script) as url, transport() as connection:
        for _ in range(3):
            await connection.send(post(url))
            await asyncio.sleep(0.02)

    assert connections == 1


async def test_an_answer_that_is_there_before_the_request_is_not_taken():
    got: list[bytes] = []

    async def script(reader, writer):
        writer.write(ok(b"{}"))
        got.append(await reader.readexactly(1))

    left: list[None] = []
    async with scripted(script) as url, transport() as connection:
        with pytest.raises((ConnectionFailed, BadResponse)) as raised:
            await connection.send(post(url), lambda: left.append(None))

    if isinstance(raised.value, ConnectionFailed):
        assert (raised.value.sent, left, got) == (False, [], [])


async def test_an_answer_before_the_whole_picture_was_sent_is_kept_and_not_taken():
    async def script(reader, writer):
        await head_of(reader)
        writer.write(ok(b'{"n":1}'))
        await reader.read()

    async with scripted(script) as url, transport(read_timeout=5.0) as connection:
        with pytest.raises(BadResponse, match="before the picture was sent") as raised:
            await connection.send(post(url, bytes(30_000_000)))

    assert raised.value.body == b'{"n":1}'


@pytest.mark.parametrize(
    "interim", [b"100 Continue", b"102 Processing", b"103 Early Hints\r\nLink: </x>"]
)
@pytest.mark.parametrize("cut", [0, 11])
async def test_an_interim_response_before_the_whole_picture_was_sent_is_no_answer(interim, cut):
    async def script(reader, writer):
        head = b"HTTP/1.1 " + interim + b"\r\n\r\n"
        sent = await head_of(reader)
        for part in (head[:cut], head[cut:]):
            writer.write(part)
            await asyncio.sleep(0.05)
        length = sent.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]
        await reader.readexactly(int(length))
        writer.write(ok(b'{"n":1}'))

    async with scripted(script) as url, transport(read_timeout=5.0) as connection:
        answer = await connection.send(post(url, bytes(30_000_000)))

    assert answer.body == b'{"n":1}'
    assert answer.sent
