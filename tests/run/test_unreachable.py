"""Nobody answers, or nobody is there: silence at every moment, and addresses that lead nowhere."""

from __future__ import annotations

import socket
import ssl
import subprocess
from contextlib import asynccontextmanager

import pytest

from tests.support.fault_cells import PATIENT, Told, finished_by_the_next_run, told_by
from tests.support.pictures import bmp, tree
from tests.support.wire import Passage, Script, Wire

FAILED = {"failed": 1}
NOT_SENT = Told(3, FAILED, "network")
PERHAPS = Told(3, FAILED, "outcome_unknown", 1)


@pytest.fixture
async def wire(bench):
    async with Wire(bench.emulator.url) as opened:
        yield opened


async def stall_before_reading(passage: Passage) -> None:
    await passage.silence()


async def stall_after_sending(passage: Passage) -> None:
    await passage.request()
    await passage.stall()


async def stall_after_the_charge(passage: Passage) -> None:
    await passage.answered()
    await passage.stall()


async def stall_in_the_head(passage: Passage) -> None:
    await passage.say((await passage.answered())[:30])
    await passage.stall()


async def stall_in_the_body(passage: Passage) -> None:
    await passage.say((await passage.answered())[:-20])  # a part of the JSON object too
    await passage.stall()


async def drip_the_head(passage: Passage) -> None:
    await passage.drip(await passage.answered(), 0.02)


async def drip_the_body(passage: Passage) -> None:
    head, end, body = (await passage.answered()).partition(b"\r\n\r\n")
    await passage.say(head + end)
    await passage.drip(body, 0.02)


STALLS: dict[Script, Told] = {
    stall_before_reading: NOT_SENT,
    stall_after_sending: PERHAPS,
    stall_after_the_charge: PERHAPS,
    stall_in_the_head: PERHAPS,
    stall_in_the_body: PERHAPS,
    drip_the_head: PERHAPS,
    drip_the_body: PERHAPS,
}


@pytest.mark.parametrize("stall", STALLS, ids=lambda script: script.__name__)
async def test_silence_is_not_waited_on_for_ever(bench, wire, stall):
    large = stall is stall_before_reading  # more than what sockets hold
    tree(bench.images, {"p000.bmp": bmp(2000, 1400, 7) if large else bmp(20, 20, 7)})
    wire.once = [stall]
    first = await bench.scan(api=wire.api(**PATIENT, attempts=1, read_timeout=0.3))

    assert told_by(first) == STALLS[stall]
    second = await finished_by_the_next_run(bench, first, api=wire.api(**PATIENT))
    assert bench.charged() == second.report.credits.charged == 1
    assert len({entry.scan_id for entry in bench.checks()}) == 1


@asynccontextmanager
async def refused(wire: Wire, tmp_path):
    await wire.down()
    yield wire.url
    await wire.up()


@asynccontextmanager
async def unknown_name(wire: Wire, tmp_path):
    yield "https://nobody.invalid"


@asynccontextmanager
async def no_tls(wire: Wire, tmp_path):
    yield wire.url.replace("http:", "https:")


@asynccontextmanager
async def untrusted(wire: Wire, tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate(tmp_path))
    async with Wire(wire.url, context) as secure:
        yield secure.url


@asynccontextmanager
async def unanswered(wire: Wire, tmp_path):
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        yield f"http://127.0.0.1:{full.getsockname()[1]}"
        for filler in fillers:
            filler.close()


def certificate(folder) -> tuple[str, str]:
    """One that nobody signed, and its key."""
    names = [str(folder / name) for name in ("cert.pem", "key.pem")]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
         "-out", names[0], "-keyout", names[1]],
        check=True, capture_output=True,
    )  # fmt: skip
    return names[0], names[1]


@pytest.mark.parametrize("host", ["api", "identity"])
@pytest.mark.parametrize(
    "nowhere", [refused, unknown_name, no_tls, untrusted, unanswered], ids=lambda f: f.__name__
)
async def test_where_nobody_can_be_reached_nothing_is_sent_and_all_is_put_off(
    bench, wire, tmp_path, nowhere, host
):
    bench.pictures(5)
    async with nowhere(wire, tmp_path) as url:
        addresses = {"url": wire.url, "identity_url": bench.emulator.url}
        addresses["url" if host == "api" else "identity_url"] = url
        api = {**addresses, "retry_for": 30.0, "connect_timeout": 0.1}
        first = await bench.scan(api=api)

        assert told_by(first) == Told(8, {"deferred": 5}, "unavailable")
        assert first.report.run.advice
        assert bench.checks() == []
    again = await bench.scan(api=wire.api(**PATIENT))
    assert told_by(again) == Told(0, {"scanned": 5})
    assert bench.charged() == 5
