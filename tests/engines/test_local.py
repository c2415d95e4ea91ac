from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from batchscan.emulator import Emulator, EmulatorConfig, Fault
from batchscan.emulator.fault_actions import AnswerInstead, RevokeTokens
from batchscan.engines.interface import Success, Throttled, TokenRejected, TransientError
from batchscan.engines.local import LocalEngine
from batchscan.engines.vendor_mapping import parse_answer
from batchscan.enums import FailReason
from batchscan.errors import AuthRefused, NoCredits, Unavailable
from batchscan.model import Candidate, Image, NotSendable, Stat
from batchscan.settings import Account, Api, Rate, Secret, Settings
from tests.support.inside import shown_of
from tests.support.pictures import dng, png, tree
from tests.support.servers import serving


@pytest.fixture
async def emulator():
    config = EmulatorConfig(search=False, rates=(Rate(1000, 1.0),))
    async with Emulator(config) as running:
        yield running


@pytest.fixture
async def engine(emulator, tmp_path):
    settings = Settings(
        account=Account(email="me@example.com", api_key=Secret("the-key")),
        api=Api(url=emulator.url, identity_url=emulator.url),
    )
    opened = LocalEngine(settings, tmp_path / "token.json")
    yield opened
    await opened.aclose()


def nothing() -> None:
    """Nobody wants to know when the request leaves."""


def picture(seed: int = 0) -> Image:
    data = png(16, 16, seed)
    sha256 = hashlib.sha256(data).hexdigest()
    return Image("/p.png", Stat(len(data), 0, 0), data, sha256, "png", 16, 16, "image/png", "p.png")


async def test_a_preview_is_made_in_the_threads_that_inspect(engine):
    previews = await asyncio.gather(*(engine.make_preview(picture(seed)) for seed in range(20)))

    assert len({preview.thumbnail for preview in previews}) == 20
    assert len({thread.name for thread in threading.enumerate()} & {"inspect_0", "inspect_1"}) == 2


async def test_a_picture_is_inspected_and_answered(engine, emulator, tmp_path):
    tree(tmp_path, {"a.png": png(16, 16, 3)})
    image = await engine.inspect(Candidate(str(tmp_path / "a.png"), None))
    assert isinstance(image, Image)
    assert not engine.has_token
    assert await engine.ensure_token() is None
    assert engine.has_token
    reply = await engine.upload("scan-1", image, nothing)

    assert isinstance(reply, Success)
    answer = parse_answer(reply.body, reply.received_at, "scan-1")
    assert (answer.credits, answer.warnings, answer.trouble) == (1, (), None)
    assert emulator.journal.of("check")[0].sha256 == image.sha256


async def test_raw_and_raster_files_are_inspected_side_by_side(engine, tmp_path):
    tree(tmp_path, {**{f"{n}.png": png(16, 16, n) for n in range(6)}, "raw.dng": dng(64, 48)})
    names = sorted(path.name for path in tmp_path.iterdir() if path.suffix in (".png", ".dng"))
    found = await asyncio.gather(
        *(engine.inspect(Candidate(str(tmp_path / name), None)) for name in names)
    )

    assert [type(one) for one in found] == [Image] * 7
    assert isinstance(await engine.inspect(Candidate(str(tmp_path / "gone"), None)), NotSendable)


async def test_twenty_uploads_with_a_revoked_token_cost_one_more_login(engine, emulator):
    await engine.ensure_token()
    emulator.faults = (Fault(route="check", nth=1, action=RevokeTokens()),)
    uploads = [engine.upload(f"scan-{n}", picture(n), nothing) for n in range(20)]
    replies = await asyncio.gather(*uploads)
    assert {type(reply) for reply in replies} == {TokenRejected}
    assert not engine.has_token

    await asyncio.gather(*(engine.ensure_token() for _ in range(20)))
    again = await engine.upload("scan-0", picture(), nothing)
    assert isinstance(again, Success)
    assert engine.logins == 2


async def test_a_login_that_is_refused_or_busy_is_reported_before_anything_is_sent(
    engine, emulator
):
    emulator.faults = (Fault(route="login", action=AnswerInstead(status=429)),)
    assert isinstance(await engine.ensure_token(), Throttled)


async def test_a_refused_login_stops(engine, emulator):
    emulator.faults = (Fault(route="login", action=AnswerInstead(status=401)),)
    with pytest.raises(AuthRefused):
        await engine.ensure_token()


async def test_the_balance_is_known_or_unknown_and_never_trouble(engine, emulator):
    assert await engine.balance() == 1_000_000
    emulator.faults = (Fault(route="credits", action=AnswerInstead(status=500)),)
    assert await engine.balance() is None


async def test_a_revoked_token_does_not_hide_the_balance(engine, emulator):
    await engine.ensure_token()
    emulator.faults = (Fault(route="credits", nth=1, action=RevokeTokens()),)

    assert await engine.balance() == 1_000_000
    assert engine.logins == 2


async def test_inspecting_needs_no_account(tmp_path):
    tree(tmp_path, {"a.png": png(16, 16, 1)})
    engine = LocalEngine(Settings(), tmp_path / "token.json")
    found = await engine.inspect(Candidate(str(tmp_path / "a.png"), None))
    await engine.aclose()

    assert isinstance(found, Image)
    assert not (tmp_path / "token.json").exists()


async def test_no_object_shows_the_key(engine, emulator):
    await engine.ensure_token()
    told = shown_of(engine)

    assert "the-key" not in told


@asynccontextmanager
async def answering(
    folder, answer: web.Response, login: web.Response
) -> AsyncIterator[LocalEngine]:
    """An engine whose service gives these answers, once each."""

    async def handler(request: web.Request) -> web.Response:
        await request.read()
        return login if request.path.endswith("/login/api") else answer

    async with serving(web.post("/{any:.*}", handler)) as url:
        settings = Settings(
            account=Account(email="me@example.com", api_key=Secret("the-key")),
            api=Api(url=url, identity_url=url),
        )
        opened = LocalEngine(settings, folder / "token.json")
        try:
            yield opened
        finally:
            await opened.aclose()


def granted() -> web.Response:
    return web.json_response({"access_token": "tok"})


async def test_a_long_answer_is_read_whole(tmp_path):
    entries = [{"url": f"https://s{n}.example.com/{'x' * 99}", "matchType": 0} for n in range(900)]
    answer = web.json_response({"matches": {"internet": entries}})
    async with answering(tmp_path, answer, granted()) as engine:
        reply = await engine.upload("scan-1", picture(), nothing)

    assert isinstance(reply, Success)
    matches = parse_answer(reply.body, reply.received_at).matches
    assert len(matches) == 900
    assert {match.domain for match in matches} == {"example.com"}


@pytest.mark.parametrize("answer", [web.Response(status=202, body=b"{}"), web.Response(body=b"[")])
async def test_an_accepted_picture_without_an_answer_may_have_been_charged(tmp_path, answer):
    async with answering(tmp_path, answer, granted()) as engine:
        reply = await engine.upload("scan-1", picture(), nothing)

    assert isinstance(reply, TransientError)
    assert (reply.reason, reply.ambiguous) == (FailReason.BAD_RESPONSE, True)
    assert reply.body == answer.body


async def test_credits_that_are_gone_stop_whatever_the_status(tmp_path):
    answer = web.json_response({"error": {"code": 13}}, status=403)
    async with answering(tmp_path, answer, granted()) as engine:
        with pytest.raises(NoCredits, match="out of credits"):
            await engine.upload("scan-1", picture(), nothing)


async def test_an_address_without_a_login_is_named(tmp_path):
    login = web.Response(status=404)
    async with answering(tmp_path, granted(), login) as engine:
        with pytest.raises(Unavailable, match=r"127\.0\.0\.1:\d+ is not the address of the API"):
            await engine.ensure_token()


async def test_a_key_that_the_login_echoes_is_not_shown(tmp_path):
    login = web.json_response({"message": "the-key is not a key"}, status=401)
    async with answering(tmp_path, granted(), login) as engine:
        with pytest.raises(AuthRefused, match=r"\*\*\* is not a key") as refused:
            await engine.ensure_token()

    assert "the-key" not in str(refused.value) + repr(refused.value)
