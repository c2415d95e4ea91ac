"""The heartbeat against real servers on loopback, good ones and bad ones."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess

from aiohttp import web

from batchscan.monitoring import heartbeat
from batchscan.monitoring.heartbeat import MAX_LENGTH, ping
from tests.support.servers import head_of, scripted, serving


def answering(*statuses: int, **headers: str):
    """A route that answers with these, one after the other; and what it was told."""
    told: list[tuple[str, bytes]] = []

    async def answer(request):
        told.append((request.path_qs, await request.read()))
        return web.Response(status=statuses[min(len(told), len(statuses)) - 1], headers=headers)

    return web.post("/{path:.*}", answer), told


async def test_it_is_sent_by_post_with_the_text_as_its_body():
    route, told = answering(200)
    async with serving(route) as url:
        assert await ping(f"{url}/ping/the-uuid", "start") is None
        assert await ping(f"{url}/ping/the-uuid/", "3", "É\n") is None

    assert told == [("/ping/the-uuid/start", b""), ("/ping/the-uuid/3", "É\n".encode())]


async def test_a_query_stays_behind_what_is_reported():
    route, told = answering(200)
    async with serving(route) as url:
        assert await ping(f"{url}/key/slug%2F?create=1", "0") is None

    assert told == [("/key/slug%2F/0?create=1", b"")]


async def test_a_long_text_is_cut_between_characters():
    route, told = answering(200)
    async with serving(route) as url:
        await ping(url, "0", "é\udcff" * MAX_LENGTH)

    assert MAX_LENGTH - 2 < len(told[0][1]) <= MAX_LENGTH
    assert told[0][1].decode().startswith("é?é?")


async def test_a_failed_heartbeat_is_tried_twice():
    route, told = answering(503, 200)
    async with serving(route) as url:
        assert await ping(url, "0") is None
    assert len(told) == 2

    route, told = answering(503)
    async with serving(route) as url:
        assert await ping(url, "0") == "HTTP 503"
    assert len(told) == 2


async def test_a_redirect_is_not_followed():
    elsewhere, told_elsewhere = answering(200)
    async with serving(elsewhere) as there:
        route, told = answering(302, Location=f"{there}/other")
        async with serving(route) as url:
            assert await ping(url, "0") == "HTTP 302"

    assert (len(told), told_elsewhere) == (2, [])


async def test_a_server_that_never_answers_is_waited_for_twice_and_no_longer(monkeypatch):
    monkeypatch.setattr(heartbeat, "SECONDS", 0.2)
    calls = []

    async def silent(reader, writer):
        calls.append(await head_of(reader))
        await asyncio.sleep(300)

    async with asyncio.timeout(120), scripted(silent) as url:
        assert await ping(url, "0") == "no answer within 0 s"
    assert len(calls) == 2


async def test_what_goes_wrong_never_shows_the_address():
    async def hang_up(reader, writer):
        await head_of(reader)
        writer.transport.abort()

    async def nonsense(reader, writer):
        await head_of(reader)
        writer.write(b"the-uuid\r\n\r\n")
        await writer.drain()

    with socket.socket() as taken:  # bound, and not listening
        taken.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{taken.getsockname()[1]}"
        async with scripted(hang_up) as rude, scripted(nonsense) as odd:
            for url in (closed, rude, odd, "http://127.0.0.1:1é"):
                trouble = await ping(f"{url}/the-uuid", "0")
                assert trouble
                assert "the-uuid" not in trouble
                assert "127.0.0.1" not in trouble


async def test_a_certificate_that_nobody_signed_is_refused(tmp_path):
    key, certificate = str(tmp_path / "key.pem"), str(tmp_path / "cert.pem")
    await asyncio.to_thread(
        subprocess.run,
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "1", "-subj", "/CN=localhost", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    server = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        said = await ping(f"https://127.0.0.1:{port}/the-uuid", "0")

    assert said == "its certificate cannot be trusted"
