from __future__ import annotations

import asyncio
import hashlib

import pytest

from batchscan.emulator import Emulator, EmulatorConfig, Fault
from batchscan.emulator.actions import Answer, RevokeTokens
from batchscan.engines.local import LocalEngine
from batchscan.errors import AuthRefused
from batchscan.model import Answered, Busy, Candidate, Image, NotSendable, Stat, TokenRefused
from batchscan.settings import Account, Api, Rate, Secret, Settings
from tests.pictures import dng, png, tree


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


async def test_a_picture_is_inspected_and_answered(engine, emulator, tmp_path):
    tree(tmp_path, {"a.png": png(16, 16, 3)})
    image = await engine.inspect(Candidate(str(tmp_path / "a.png"), None))
    assert isinstance(image, Image)
    assert not engine.ready
    assert await engine.prepare() is None
    assert engine.ready
    reply = await engine.upload("scan-1", image, nothing)

    assert isinstance(reply, Answered)
    assert reply.answer.credits == 1
    assert reply.answer.warnings == ()
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
    await engine.prepare()
    emulator.faults = (Fault(route="check", nth=1, action=RevokeTokens()),)
    uploads = [engine.upload(f"scan-{n}", picture(n), nothing) for n in range(20)]
    replies = await asyncio.gather(*uploads)
    assert {type(reply) for reply in replies} == {TokenRefused}
    assert not engine.ready

    await asyncio.gather(*(engine.prepare() for _ in range(20)))
    again = await engine.upload("scan-0", picture(), nothing)
    assert isinstance(again, Answered)
    assert engine.logins == 2


async def test_a_login_that_is_refused_or_busy_is_told_before_anything_is_sent(engine, emulator):
    emulator.faults = (Fault(route="login", action=Answer(status=429)),)
    assert isinstance(await engine.prepare(), Busy)


async def test_a_refused_login_stops(engine, emulator):
    emulator.faults = (Fault(route="login", action=Answer(status=401)),)
    with pytest.raises(AuthRefused):
        await engine.prepare()


async def test_the_balance_is_known_or_unknown_and_never_trouble(engine, emulator):
    assert await engine.balance() == 1_000_000
    emulator.faults = (Fault(route="credits", action=Answer(status=500)),)
    assert await engine.balance() is None


async def test_a_revoked_token_does_not_hide_the_balance(engine, emulator):
    await engine.prepare()
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


async def test_no_object_tells_the_key(engine, emulator):
    await engine.prepare()
    told = repr(engine._client) + repr(vars(engine._client)) + repr(engine._settings)

    assert "the-key" not in told
