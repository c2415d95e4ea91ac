"""Timestamps by an authority made with OpenSSL; what it answers is kept, whatever it is."""

from __future__ import annotations

import asyncio
import hashlib
import time

import pytest
from aiohttp import web

from batchscan.capture.trusted_timestamps import (
    TimestampAuthority,
    TimestampError,
    openssl_line,
    read_timestamp,
)
from batchscan.evidence.verify_captures import CaptureFault, check_timestamp
from batchscan.web_client import ConnectTo
from tests.support.servers import serving
from tests.support.timestamp_authority import Authority, make_authority

DATA = b"a capture"
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("tsa") / "one")


def route(answer) -> web.RouteDef:
    async def handler(request: web.Request) -> web.Response:
        assert request.headers["Content-Type"] == "application/timestamp-query"
        body = await asyncio.to_thread(answer, await request.read())
        return web.Response(body=body, content_type="application/timestamp-reply")

    return web.post("/tsa", handler)


async def stamp(answer, connect_to: str | None = None):
    async with serving(route(answer)) as url:
        port = url.rpartition(":")[2]
        rules = [f"tsa.example:80:127.0.0.1:{port}"] if connect_to else []
        client = TimestampAuthority(f"{connect_to or url}/tsa", ConnectTo.of(rules))
        return await client.stamp(DATA)


@pytest.mark.parametrize("connect_to", [None, "http://tsa.example"])
async def test_an_answer_says_when_it_was_asked_and_openssl_agrees(authority, tmp_path, connect_to):
    made = await stamp(authority.reply, connect_to)
    (tmp_path / "data").write_bytes(DATA)
    (tmp_path / "tsr").write_bytes(made.response)

    assert abs(made.at - time.time()) < 60
    said = read_timestamp(made.response)
    assert said is not None
    assert said.sha256 == SHA256
    assert authority.verifies(tmp_path / "data", tmp_path / "tsr")
    assert check_timestamp(made.response, SHA256, authority.roots.read_bytes()) is True
    assert check_timestamp(made.response, SHA256, None) is False


async def test_an_answer_with_its_whole_chain_is_kept_and_openssl_accepts_it(tmp_path):
    """Some programs cannot read those of OpenSSL's own server, whose certificates are unsorted."""
    authority = make_authority(tmp_path / "chain", with_chain=True)
    made = await stamp(authority.reply)
    (tmp_path / "data").write_bytes(DATA)
    (tmp_path / "tsr").write_bytes(made.response)

    assert authority.verifies(tmp_path / "data", tmp_path / "tsr")
    assert (made.at is None) == (check_timestamp(made.response, SHA256, None) is None)


async def test_an_answer_about_something_else_is_found_out(authority, tmp_path):
    made = await stamp(authority.reply)
    other = make_authority(tmp_path / "other")

    with pytest.raises(CaptureFault, match="about another file"):
        check_timestamp(made.response, "0" * 64, None)
    with pytest.raises(CaptureFault, match="not signed as it should be"):
        check_timestamp(made.response, SHA256, other.roots.read_bytes())
    changed = made.response[:-20] + bytes(20)
    with pytest.raises(CaptureFault, match="not signed as it should be"):
        check_timestamp(changed, SHA256, authority.roots.read_bytes())


async def test_an_answer_to_another_request_has_no_time_and_is_kept(authority):
    first = await stamp(authority.reply)
    made = await stamp(lambda _: first.response)

    assert (made.response, made.at) == (first.response, None)


@pytest.mark.parametrize("answer", [b"nonsense", b"\x30\x03\x02\x01\x02", b"x" * 200_000])
async def test_whatever_is_answered_is_kept(answer):
    made = await stamp(lambda _: answer)

    assert made.at is None
    assert made.response == answer[:100_000]
    assert check_timestamp(made.response, SHA256, None) is None


async def test_a_failed_request_to_the_authority_is_reported():
    async with serving() as url:
        client = TimestampAuthority(f"{url}/tsa", ConnectTo())
        with pytest.raises(TimestampError, match="HTTP 404 from http://127"):
            await client.stamp(DATA)
    with pytest.raises(TimestampError, match="cannot be reached"):
        await client.stamp(DATA)


def test_the_line_for_openssl_names_both_files():
    assert openssl_line("a.warc.gz", "a.warc.gz.tsr") == (
        "openssl ts -verify -data a.warc.gz -in a.warc.gz.tsr -CAfile CA.pem"
    )
