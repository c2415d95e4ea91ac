from __future__ import annotations

import re
from datetime import datetime

import pytest

from batchscan.settings.units import Rate
from tests.support.emulator_client import Clock, lenient


async def test_a_login_answers_with_the_vendors_times(serve):
    vendor = await serve(lenient(wall_clock=lambda: 1_785_000_000.25), login=False)
    first, second = (await vendor.login()).json, (await vendor.login()).json

    assert list(first) == ["access_token", ".issued", ".expires"]
    assert first[".issued"] == "2026-07-25T17:20:00.2500000Z"
    assert first[".expires"] == "2026-07-27T17:20:00.2500001Z"
    assert second[".issued"] == "2026-07-25T19:20:00.2500000+02:00"
    assert datetime.fromisoformat(first[".issued"]) == datetime.fromisoformat(second[".issued"])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"email": "a@b.example"}, {"Key": ["The key field is required."]}),
        ({"email": "a@b.example", "key": " "}, {"Key": ["The key field is required."]}),
        ({"email": 7, "key": "k"}, {"Email": ["The email field is required."]}),
        ([], {"Email": ["The email field is required."], "Key": ["The key field is required."]}),
    ],
)
async def test_a_login_without_its_fields_is_refused(serve, body, said):
    vendor = await serve(login=False)
    reply = await vendor.ask("POST", "/v3/account/login/api", json=body)
    assert (reply.status, reply.json) == (400, said)


@pytest.mark.parametrize("body", [b"no json", b"\xff\xfe", b"[" * 9000])
async def test_a_login_that_is_no_json_is_refused(serve, body):
    vendor = await serve(login=False)
    reply = await vendor.ask("POST", "/v3/account/login/api", data=body)
    assert reply.status == 400


async def test_a_login_of_unlikely_length_is_refused(serve):
    vendor = await serve(login=False)
    reply = await vendor.ask("POST", "/v3/account/login/api", data=b" " * 10_001)
    assert reply.status == 413


async def test_the_thirteenth_login_blocks_for_five_minutes(serve):
    clock = Clock()
    vendor = await serve(lenient(clock=clock), login=False)
    for _ in range(12):
        assert (await vendor.login()).status == 200
    clock.now += 899
    refused = await vendor.login()
    assert (refused.status, refused.json) == (429, {"error": "Rate limit exceeded"})
    assert refused.headers["Retry-After"] == "300"
    clock.now += 299.5
    refused = await vendor.login()
    assert (refused.status, refused.headers["Retry-After"]) == (429, "1")
    assert (await vendor.login(email="other@example.com")).status == 200
    clock.now += 0.5
    assert (await vendor.login()).status == 200


async def test_a_token_ends_with_its_life(serve):
    clock = Clock()
    vendor = await serve(lenient(clock=clock, token_life=60))
    clock.now += 59.9
    assert (await vendor.credits()).status == 200
    clock.now += 0.1
    assert (await vendor.credits()).status == 401


@pytest.mark.parametrize(("revokes", "status"), [(False, 200), (True, 401)])
async def test_a_new_login_ends_older_tokens_where_that_is_chosen(serve, revokes, status):
    vendor = await serve(lenient(revoke_on_login=revokes))
    await vendor.login()
    assert (await vendor.credits()).status == 200
    vendor.token = vendor.kept[0]
    assert (await vendor.credits()).status == status


@pytest.mark.parametrize("authorization", [None, "Bearer", "Bearer made-up", "Basic TOKEN"])
async def test_without_a_token_of_ours_the_answer_is_the_problem_object(serve, authorization):
    vendor = await serve()
    if authorization:
        authorization = authorization.replace("TOKEN", vendor.token)
    headers = {"Authorization": authorization} if authorization else {}
    reply = await vendor.ask("GET", "/v3/scans/credits", headers=headers)

    assert reply.status == 401
    trace = reply.json.pop("traceId")
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", trace)
    assert reply.json == {
        "type": "https://tools.ietf.org/html/rfc9110#section-15.5.2",
        "title": "Unauthorized",
        "status": 401,
    }


async def test_the_balance_has_the_vendors_capital(serve):
    vendor = await serve(lenient(credits=100))
    assert (await vendor.credits()).body == b'{"Amount":100}'


async def test_checks_and_credits_share_the_rate(serve):
    clock = Clock()
    vendor = await serve(lenient(clock=clock, rates=(Rate(2, 1.0),)))
    assert (await vendor.credits()).status == 200
    clock.now += 0.5
    assert (await vendor.check()).status == 200
    refused = await vendor.check()
    assert (refused.status, refused.json["error"]["type"]) == (429, "api_error")
    assert refused.headers["Retry-After"] == "1"
    clock.now += 0.5
    assert (await vendor.check()).status == 200
    assert (await vendor.check()).status == 429


async def test_a_429_may_lack_retry_after(serve):
    vendor = await serve(lenient(clock=Clock(), rates=(Rate(1, 1.0),), retry_after=False))
    await vendor.credits()
    refused = await vendor.credits()
    assert refused.status == 429
    assert "Retry-After" not in refused.headers
