from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import subprocess
import zlib
from typing import Any

import pytest
from aiohttp import BodyPartReader, web

from batchscan.copyleaks.errors import BadResponse, ConnectionFailed
from batchscan.copyleaks.received_body import SHORT_ANSWER
from batchscan.copyleaks.requests import Multipart, Request, check_form
from batchscan.copyleaks.transport import MAX_ANSWER
from tests.support.servers import head_of, scripted, serving, transport, whole_request

FORM = Multipart("b", b"head", bytes(3_000_000), b"tail")


def post(url: str, body: bytes | Multipart = b"{}") -> Request:
    return Request("POST", url, "application/json", body, token="tok")


async def failing(script, body: bytes | Multipart = b"{}", **changes) -> ConnectionFailed:
    async with scripted(script) as url, transport(**changes) as sender:
        with pytest.raises(ConnectionFailed) as failure:
            await sender.send(post(url, body))
    return failure.value


async def test_a_request_has_a_length_and_an_honest_name_and_is_not_chunked():
    seen: list[bytes] = []

    async def script(reader, writer):
        seen.append(await whole_request(reader))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()

    leaving: list[int] = []
    async with scripted(script) as url, transport() as sender:
        response = await sender.send(post(url, FORM), lambda: leaving.append(1))

    head = seen[0].split(b"\r\n\r\n")[0].lower()
    assert response.body == b"{}"
    assert leaving == [1]
    assert b"content-length: %d" % FORM.size in head
    assert b"transfer-encoding" not in head
    assert b"accept-encoding: gzip\r\n" in head + b"\r\n"
    assert b"accept-language: en" in head
    assert b"user-agent: batchscan/test" in head
    assert b"authorization: bearer tok" in head
    assert seen[0].endswith(b"head" + FORM.image + b"tail")


@pytest.mark.parametrize(
    "name", ["a.png", 'qu"ote.png', "snow☃.png", "é" * 251 + ".png", "semi;colon=x.png", "%22.png"]
)
async def test_the_server_reads_the_form_as_it_was_meant(name):
    read: dict[str, Any] = {}

    async def handler(request: web.Request) -> web.Response:
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            assert part.name is not None
            read[part.name] = (part.filename, part.headers.get("Content-Type"), await part.read())
        return web.json_response({})

    form = check_form("abc-1", b"\x89PNG bytes", name, "image/png", sandbox=False)
    request = Request("POST", "", f"multipart/form-data; boundary={form.boundary}", form)
    async with serving(web.post("/", handler)) as url, transport() as sender:
        await sender.send(Request(request.method, url, request.content_type, form))

    file_name, content_type, data = read["image"]
    assert file_name.replace("%22", '"') == name.replace("%22", '"')
    assert (content_type, data) == ("image/png", b"\x89PNG bytes")
    assert read["filename"][2].decode() == name
    assert read["sandbox"][2] == b"false"
    assert list(read) == ["image", "filename", "sandbox"]


async def test_a_port_where_nobody_listens_is_not_reached():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with transport() as sender:
        left: list[int] = []
        with pytest.raises(ConnectionFailed) as failure:
            await sender.send(post(f"http://127.0.0.1:{port}"), lambda: left.append(1))

    assert (failure.value.sent, failure.value.reached) == (False, False)
    assert left == []


async def test_a_name_that_nobody_knows_is_not_reached():
    async with transport() as sender:
        with pytest.raises(ConnectionFailed, match="no connection to") as failure:
            await sender.send(post("http://nobody.invalid"))

    assert not failure.value.reached


async def test_a_connection_that_does_not_come_about_in_time_is_not_reached():
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        async with transport(connect_timeout=0.2) as sender:
            with pytest.raises(ConnectionFailed) as failure:
                await sender.send(post(f"http://127.0.0.1:{address[1]}"))
        for filler in fillers:
            filler.close()

    assert not failure.value.reached


async def test_a_server_without_tls_is_not_reached_by_https():
    async def script(reader, writer):
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async with scripted(script) as url, transport() as sender:
        with pytest.raises(ConnectionFailed) as failure:
            await sender.send(post(url.replace("http:", "https:")))

    assert not failure.value.reached


async def test_a_certificate_that_nobody_signed_is_named_as_the_reason(tmp_path):
    names = [str(tmp_path / name) for name in ("key.pem", "cert.pem")]
    made = await asyncio.to_thread(
        subprocess.run,
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj",
         "/CN=localhost", "-keyout", names[0], "-out", names[1]],
        check=False, capture_output=True,
    )  # fmt: skip
    assert made.returncode == 0
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(names[1], names[0])
    server = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    async with transport() as sender:
        with pytest.raises(ConnectionFailed, match="certificate") as failure:
            await sender.send(post(f"https://127.0.0.1:{port}"))
    server.close()
    await server.wait_closed()

    assert not failure.value.reached


async def test_a_reset_while_sending_was_not_sent():
    async def script(reader, writer):
        await head_of(reader)
        await reader.readexactly(1000)
        writer.transport.abort()

    failure = await failing(script, Multipart("b", b"", bytes(20_000_000), b""))
    assert (failure.sent, failure.reached) == (False, True)


async def test_a_reset_after_sending_may_have_arrived():
    async def script(reader, writer):
        await whole_request(reader)
        writer.transport.abort()

    failure = await failing(script)
    assert (failure.sent, failure.reached) == (True, True)


async def test_silence_after_sending_may_have_arrived():
    async def script(reader, writer):
        await whole_request(reader)
        await asyncio.sleep(5)

    failure = await failing(script, read_timeout=0.1)
    assert (failure.sent, failure.reached) == (True, True)


async def test_a_server_that_reads_nothing_was_not_sent_to():
    async def script(reader, writer):
        await asyncio.sleep(5)  # its streams take in a little, and then no more

    failure = await failing(script, Multipart("b", b"", bytes(40_000_000), b""), read_timeout=0.2)
    assert (failure.sent, failure.reached) == (False, True)


async def test_a_head_that_drips_beyond_the_time_is_no_answer():
    async def script(reader, writer):
        await whole_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nX: ")
        for _ in range(100):
            writer.write(b"a")
            await writer.drain()
            await asyncio.sleep(0.02)

    failure = await failing(script, read_timeout=0.2)
    assert (failure.sent, failure.reached) == (True, True)


async def test_an_upload_may_take_longer_than_an_answer():
    async def script(reader, writer):
        await head_of(reader)
        for _ in range(60):
            await reader.readexactly(1_000_000)
            await asyncio.sleep(0.03)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()

    form = Multipart("b", b"", bytes(60_000_000), b"")  # far more than the system's buffers hold
    async with scripted(script) as url, transport(read_timeout=1.2) as sender:
        assert (await sender.send(post(url, form))).status == 200


async def test_an_answer_before_the_request_was_read_is_an_answer():
    async def script(reader, writer):
        await head_of(reader)
        writer.write(b"HTTP/1.1 429 Slow\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()
        await asyncio.sleep(5)

    before = asyncio.all_tasks()
    async with scripted(script) as url, transport() as sender:
        response = await sender.send(post(url, Multipart("b", b"", bytes(30_000_000), b"")))
    await asyncio.sleep(0.05)

    assert (response.status, response.body) == (429, b"{}")
    assert asyncio.all_tasks() == before


async def test_a_question_without_a_body_has_none():
    seen: list[bytes] = []

    async def script(reader, writer):
        seen.append((await head_of(reader)).lower())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()

    async with scripted(script) as url, transport() as sender:
        await sender.send(Request("GET", url, token="tok"))

    assert seen[0].startswith(b"get / ")
    assert b"content-" not in seen[0]


async def test_an_answer_that_drips_beyond_the_time_is_no_answer():
    async def script(reader, writer):
        await whole_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)

    failure = await failing(script, read_timeout=0.2)
    assert failure.sent


@pytest.mark.parametrize(
    "answer",
    [
        b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"a":',
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8bno",
        b"SSH-2.0-OpenSSH_9\r\n\r\n",
    ],
)
async def test_a_truncated_or_malformed_200_is_a_bad_response(answer):
    async def script(reader, writer):
        await whole_request(reader)
        writer.write(answer)
        await writer.drain()

    async with scripted(script) as url, transport() as sender:
        with pytest.raises(BadResponse):
            await sender.send(post(url))


OK = b"HTTP/1.1 200 OK\r\n"
ANSWER = b'{"matches": {"internet": []}}'
PACKED = gzip.compress(ANSWER)
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
WHOLE = {
    "a length that is too large": b"Content-Length: 100\r\n\r\n" + ANSWER,
    "no last chunk": CHUNKED + b"%x\r\n%s\r\n" % (len(ANSWER), ANSWER),
    "a length of nothing": b"Content-Length: 0\r\n\r\n" + ANSWER,
    "packed, and a length of nothing": b"Content-Length: 0\r\n\r\n" + PACKED,
    "packed, with such a length": b"Content-Length: 100\r\n\r\n" + PACKED,
    "packed without its end": b"Content-Length: 100\r\n\r\n" + PACKED[:-8],
    "said to be packed": b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n" + ANSWER,
    "said to be packed otherwise": b"Content-Encoding: br\r\nConnection: close\r\n\r\n" + ANSWER,
    "packed by an old name": b"Content-Encoding: x-gzip\r\nConnection: close\r\n\r\n" + PACKED,
    "deflated": b"Content-Encoding: deflate\r\nConnection: close\r\n\r\n" + zlib.compress(ANSWER),
    "deflated bare": b"Content-Encoding: deflate\r\nConnection: close\r\n\r\n"
    + zlib.compress(ANSWER, wbits=-15),
    "in two parts": b"Connection: close\r\n\r\n"
    + gzip.compress(ANSWER[:5])
    + gzip.compress(ANSWER[5:]),
    "after a long header": b"X: " + b"y" * 20_000 + b"\r\nConnection: close\r\n\r\n" + ANSWER,
}


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("closes", [True, False])
async def test_an_answer_that_is_whole_is_taken_whatever_its_headers_say(kind, closes):
    async def script(reader, writer):
        await whole_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n" + WHOLE[kind])
        await writer.drain()
        if not closes and b"close" not in WHOLE[kind]:
            await reader.read()

    async with scripted(script) as url, transport(read_timeout=1.0) as sender:
        assert (await sender.send(post(url))).body == ANSWER


LENGTH = b"Content-Length: %d\r\n" % len(ANSWER)
IN_CHUNKS = b"%x\r\n%s\r\n0\r\n" % (len(ANSWER), ANSWER)
MISTAKEN = {
    "another version": b"HTTP/1.2 200 OK\r\n" + LENGTH + b"\r\n" + ANSWER,
    "lower case": b"http/1.1 200 OK\r\n" + LENGTH + b"\r\n" + ANSWER,
    "a length twice": OK + LENGTH * 2 + b"\r\n" + ANSWER,
    "two lengths": OK + LENGTH + b"Content-Length: 5\r\n\r\n" + ANSWER,
    "a list of lengths": OK + b"Content-Length: 29, 29\r\n\r\n" + ANSWER,
    "no length": OK + b"Content-Length: \r\n\r\n" + ANSWER,
    "a length beyond all numbers": OK + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n" + ANSWER,
    "a length and chunks": OK + LENGTH + CHUNKED + IN_CHUNKS + b"\r\n",
    "a length and no coding": OK + LENGTH + b"Transfer-Encoding: identity\r\n\r\n" + ANSWER,
    "no header": OK + b"garbage\r\n: x\r\nX: a\0b\r\n" + LENGTH + b"\r\n" + ANSWER,
    "too many headers": OK + b"X: y\r\n" * 300 + LENGTH + b"\r\n" + ANSWER,
    "a bad last chunk": OK + CHUNKED + IN_CHUNKS[:-3] + b"zz\r\n\r\n",
    "a chunk without an end": OK + CHUNKED + IN_CHUNKS.replace(b"}\r\n", b"}"),
    "a bad trailer": OK + CHUNKED + IN_CHUNKS + b"no header\r\n\r\n",
}


@pytest.mark.parametrize("kind", MISTAKEN)
@pytest.mark.parametrize("byte_by_byte", [False, True])
async def test_an_answer_is_taken_whatever_is_wrong_in_how_it_was_sent(kind, byte_by_byte):
    async def script(reader, writer):
        await whole_request(reader)
        for byte in MISTAKEN[kind] if byte_by_byte else ():
            writer.write(bytes([byte]))
            await asyncio.sleep(0)
        if not byte_by_byte:
            writer.write(MISTAKEN[kind])
        await writer.drain()

    async with scripted(script) as url, transport(read_timeout=5.0) as sender:
        response = await sender.send(post(url))

    assert (response.status, response.body) == (200, ANSWER)


async def test_an_error_that_is_torn_is_that_error_all_the_same():
    async def script(reader, writer):
        await whole_request(reader)
        writer.write(b"HTTP/1.1 500 Oops\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()

    async with scripted(script) as url, transport() as sender:
        response = await sender.send(post(url))

    assert (response.status, response.body) == (500, b"half")


@pytest.fixture(scope="module")
def bomb():
    return gzip.compress(bytes(MAX_ANSWER + 10_000_000), 6)


def exploding(status: bytes, packed: bytes):
    async def script(reader, writer):
        await whole_request(reader)
        head = b"Content-Encoding: gzip\r\nContent-Length: %d" % len(packed)
        writer.write(b"HTTP/1.1 " + status + b"\r\n" + head + b"\r\n\r\n" + packed)
        await writer.drain()

    return script


async def test_an_answer_that_unpacks_without_end_is_cut_off(bomb):
    async with scripted(exploding(b"200 OK", bomb)) as url, transport(read_timeout=20.0) as sender:
        with pytest.raises(BadResponse, match="larger"):
            await sender.send(post(url))


async def test_an_error_that_unpacks_without_end_is_that_error_all_the_same(bomb):
    async with (
        scripted(exploding(b"429 Slow", bomb)) as url,
        transport(read_timeout=20.0) as sender,
    ):
        response = await sender.send(post(url))

    assert response.status == 429
    assert len(response.body) < MAX_ANSWER + 10_000_000


def announcing(size: int, sent: int):
    """Announces so many bytes, and sends so many of them."""
    over = asyncio.Event()

    async def script(reader, writer):
        await whole_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        writer.write(b" " * sent)
        await writer.drain()
        over.set()
        await reader.read()

    return script, over


async def no_turn() -> None:
    raise AssertionError


async def test_a_long_answer_has_arrived_when_it_waits_for_its_turn(tmp_path):
    script, over = announcing(5_000_000, 5_000_000)

    async def wait() -> None:
        assert over.is_set()  # the service has nothing left to send
        assert list(tmp_path.iterdir()) == []  # what the file holds has no name
        await asyncio.sleep(1.0)  # thrice the time that the service may be silent

    async with scripted(script) as url, transport(read_timeout=0.3, folder=tmp_path) as sender:
        response = await sender.send(post(url), before_long=wait)

    assert response.body == b" " * 5_000_000


async def test_a_service_that_falls_silent_in_a_long_answer_is_left(tmp_path):
    script, _ = announcing(3_000_000, 2_999_999)

    async with scripted(script) as url, transport(read_timeout=0.3, folder=tmp_path) as sender:
        with pytest.raises(ConnectionFailed, match="in time"):
            await sender.send(post(url))


async def test_a_short_answer_waits_for_no_turn(tmp_path):
    script, _ = announcing(SHORT_ANSWER, SHORT_ANSWER)

    async with scripted(script) as url, transport(read_timeout=20.0, folder=tmp_path) as sender:
        response = await sender.send(post(url), before_long=no_turn)
    assert len(response.body) == SHORT_ANSWER


async def test_a_redirect_is_an_answer_and_is_not_followed():
    asked: list[bytes] = []

    async def script(reader, writer):
        asked.append(await whole_request(reader))
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with scripted(script) as url, transport() as sender:
        assert (await sender.send(post(url))).status == 302
    assert len(asked) == 1


async def test_connections_are_kept_and_used_again():
    ports: set[int] = set()

    async def handler(request: web.Request) -> web.Response:
        assert request.transport is not None
        ports.add(request.transport.get_extra_info("peername")[1])
        await request.read()
        return web.json_response({})

    async with serving(web.post("/", handler)) as url, transport() as sender:
        for _ in range(5):
            await sender.send(post(url, FORM))

    assert len(ports) == 1


async def test_cancelling_a_request_leaves_nothing_behind():
    async def script(reader, writer):
        await asyncio.sleep(5)

    before = asyncio.all_tasks()
    async with scripted(script) as url, transport(read_timeout=5.0) as sender:
        sending = asyncio.create_task(sender.send(post(url, FORM)))
        await asyncio.sleep(0.1)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
    await asyncio.sleep(0.05)

    assert asyncio.all_tasks() == before
