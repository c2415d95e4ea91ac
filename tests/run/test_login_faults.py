"""The login fails in every way: nothing is sent, nothing is charged, and logins are never spent."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from aiohttp import web

from batchscan.emulator import LoginLimit
from batchscan.emulator.fault_actions import AnswerInstead, Hang, Reset, RevokeTokens, Tear
from tests.support.fault_cells import (
    PATIENT,
    Told,
    check,
    finished_by_the_next_run,
    login,
    told_by,
)
from tests.support.servers import serving

AUTH = Told(4, {"deferred": 3}, "auth")
AWAY = Told(8, {"deferred": 3}, "unavailable")
REFUSED = (400, 401, 402, 403, 409, 413, 418)
NO_LOGIN_HERE = (301, 308, 404, 405)
PASSING = (
    *(AnswerInstead(status=status, body="html") for status in (500, 502, 503, 504)),
    AnswerInstead(status=500, body="empty"),
    AnswerInstead(status=503, headers={"Retry-After": "30"}),
    *(AnswerInstead(status=200, body=shape) for shape in ("json", "html", "empty", "torn")),
    AnswerInstead(status=204, body="empty"),
    AnswerInstead(status=500, when="reading"),
    AnswerInstead(status=500, when="after"),
    Reset(when="before"),
    Reset(when="reading"),
    Reset(when="after"),
    Tear(),
)


@pytest.mark.parametrize(
    ("status", "expected"),
    [*((status, AUTH) for status in REFUSED), *((status, AWAY) for status in NO_LOGIN_HERE)],
)
async def test_a_login_that_is_refused_is_not_tried_again_in_this_run(bench, status, expected):
    bench.pictures(3)
    bench.emulator.faults = (login(AnswerInstead(status=status, body="message")),)
    first = await bench.scan(api=PATIENT)

    assert told_by(first) == expected
    assert [entry.route for entry in bench.emulator.journal] == ["login"]
    assert "login" in first.report.run.message or bench.emulator.url in first.report.run.message
    await finished_by_the_next_run(bench, first)
    assert bench.charged() == 3


@pytest.mark.parametrize("action", PASSING, ids=repr)
async def test_a_login_that_fails_for_now_costs_no_attempt_and_is_tried_again(bench, action):
    bench.pictures(3)
    bench.emulator.faults = (login(action, count=2),)
    first = await bench.scan(api={**PATIENT, "attempts": 1})

    assert told_by(first) == Told(0, {"scanned": 3})
    assert [line.attempts for line in first.lines.values()] == [1, 1, 1]
    assert first.report.api.logins == len(bench.emulator.journal.of("login")) == 3
    assert len(bench.checks()) == bench.charged() == 3
    await bench.scan()
    assert len(bench.emulator.journal.of("login")) == 3  # the token is kept


async def test_a_login_without_a_response_is_tried_again(bench):
    bench.pictures(3)
    bench.emulator.faults = (login(Hang(), count=1),)
    first = await bench.scan(api={**PATIENT, "attempts": 1, "read_timeout": 0.3})

    assert first.exit_code == 0
    assert bench.charged() == 3


@pytest.mark.parametrize(
    "action", [AnswerInstead(status=500), AnswerInstead(status=200, body="garbage")], ids=repr
)
async def test_a_login_that_is_away_for_long_is_asked_twelve_times_in_fifteen_minutes_at_most(
    bench, action
):
    bench.pictures(3)
    bench.emulator.faults = (login(action),)
    first = await bench.scan(api={"retry_for": 2000.0})

    assert told_by(first) == AWAY
    assert bench.checks() == []
    assert len(bench.emulator.journal.of("login")) == first.report.api.logins >= 12
    kept = json.loads((bench.folder / "state" / "token.json").read_bytes())
    assert len(kept["logins"]) <= 12  # those of the last 15 minutes
    bench.clock.skip(900)
    await finished_by_the_next_run(bench, first)


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "7"}, {"Retry-After": "soon"}])
async def test_a_blocked_login_is_left_alone_for_five_minutes_and_then_the_run_goes_on(
    bench, headers
):
    bench.pictures(3)
    bench.emulator.faults = (login(AnswerInstead(status=429, headers=headers), nth=1),)
    first = await bench.scan(api={"retry_for": 10_000.0})

    assert told_by(first) == Told(0, {"scanned": 3})
    sooner, later = [entry.at for entry in bench.emulator.journal.of("login")]
    assert later - sooner >= 299
    assert bench.charged() == 3


async def test_a_login_over_the_services_own_limit_waits_the_block_out(bench_with):
    limit = LoginLimit(requests=1, period=2000.0, block=3000.0)
    async with bench_with(login_limit=limit) as bench:
        bench.pictures(3)
        bench.emulator.account.login(b'{"email": "me@example.com", "key": "another program"}')
        first = await bench.scan(api={"retry_for": 50_000.0})

        assert told_by(first) == Told(0, {"scanned": 3})
        assert [entry.status for entry in bench.emulator.journal.of("login")] == [429, 200]


async def test_a_login_blocked_for_longer_than_retry_for_is_not_tried_by_the_next_run_either(bench):
    bench.pictures(3)
    busy = AnswerInstead(status=429, headers={"Retry-After": "86400"})
    bench.emulator.faults = (login(busy, nth=1),)
    runs = [await bench.scan(api={"retry_for": 900.0}) for _ in range(2)]

    assert [told_by(ran) for ran in runs] == [AWAY, AWAY]
    assert len(bench.emulator.journal.of("login")) == 1
    bench.clock.skip(3600)
    await finished_by_the_next_run(bench, runs[1])


@pytest.mark.parametrize(
    "action", [AnswerInstead(status=503), Reset(when="after"), Tear()], ids=repr
)
async def test_a_token_revoked_while_the_login_is_away_is_renewed_when_it_is_back(bench, action):
    bench.pictures(8)
    again = (login(action, nth=n) for n in (2, 3))
    bench.emulator.faults = (check(RevokeTokens(), nth=4), *again)
    first = await bench.scan(api={**PATIENT, "attempts": 1}, pace={"concurrency": 2})

    assert told_by(first) == Told(0, {"scanned": 8})
    assert first.report.api.logins == 4
    assert bench.charged() == 8


async def test_a_login_that_fails_midway_leaves_what_is_answered_answered(bench):
    bench.pictures(6)
    bench.emulator.faults = (
        check(RevokeTokens(), nth=4),
        login(AnswerInstead(status=401, body="message"), nth=2),
    )
    first = await bench.scan(pace={"concurrency": 1})

    assert told_by(first) == Told(4, {"scanned": 3, "deferred": 3}, "auth")
    await finished_by_the_next_run(bench, first)
    assert bench.charged() == 6


@pytest.mark.parametrize(
    ("refusals", "expected"), [(1, Told(0, {"scanned": 5})), (9, Told(4, {"deferred": 5}, "auth"))]
)
async def test_a_login_that_returns_the_refused_token_again_is_asked_once(
    bench, refusals, expected
):
    bench.pictures(5)
    logins: list[str] = []
    checks: Counter[str] = Counter()

    async def log_in(request: web.Request) -> web.Response:
        logins.append(request.path)
        return web.json_response({"access_token": "always-this-one"})

    async def answer(request: web.Request) -> web.Response:
        checks[request.path] += 1
        await request.read()
        if checks[request.path] <= refusals:
            return web.json_response({"title": "Unauthorized"}, status=401)
        return web.json_response(
            {
                "scannedImage": {"scanId": request.match_info["id"], "actualCredits": 1},
                "matches": {"internet": []},
            }
        )

    async with serving(
        web.post("/v3/account/login/api", log_in),
        web.post("/v1/image-plagiarism-detector/{id}/check", answer),
    ) as url:
        ran = await bench.scan(api={"url": url, "identity_url": url})

    assert told_by(ran) == expected
    assert len(logins) == 2
