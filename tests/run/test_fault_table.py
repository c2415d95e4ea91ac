"""Every status at every moment: what the run tells, what is paid, and what the next run does."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Literal

import pytest

from batchscan.emulator import Fault
from batchscan.emulator.fault_actions import (
    AnswerInstead,
    Odd,
    OddBody,
    Reset,
    RevokeTokens,
    Shape,
    Tear,
)
from tests.support.fault_cells import (
    PATIENT,
    Told,
    check,
    finished_by_the_next_run,
    nothing_is_lost,
    told_by,
)
from tests.support.pictures import bmp, tree
from tests.support.servers import scripted

SHAPES: tuple[Shape, ...] = (
    "json",
    "problem",
    "message",
    "error",
    "text",
    "html",
    "empty",
    "torn",
    "garbage",
)
FAILED = {"failed": 1}
DEFERRED = {"deferred": 1}
AFTER_ONE = {
    201: Told(unknown=1),
    301: Told(8, DEFERRED, "unavailable"),
    400: Told(3, FAILED, "server_error"),
    401: Told(),
    402: Told(6, DEFERRED, "credits"),
    403: Told(4, DEFERRED, "auth"),
    404: Told(8, DEFERRED, "unavailable"),
    409: Told(unknown=1),
    413: Told(0, {"rejected": 1}, "refused_by_api"),
    429: Told(),
    500: Told(unknown=1),
    502: Told(unknown=1),
    503: Told(),
    504: Told(unknown=1),
}
MOMENTS: dict[str, tuple[Literal["reading", "before", "after"], tuple[Tear, ...]]] = {
    "while sending": ("reading", ()),
    "before the charge": ("before", ()),
    "after the charge": ("after", ()),
    "torn": ("after", (Tear(),)),
}


@cache
def large() -> bytes:
    return bmp(1400, 1000, 7)  # more than what sockets hold


# A picture that was charged for is not refused.
CELLS = [(s, m) for s in AFTER_ONE for m in MOMENTS if s != 413 or MOMENTS[m][0] != "after"]


@pytest.mark.slow
@pytest.mark.parametrize(("status", "moment"), CELLS)
async def test_a_status_means_the_same_at_every_moment(bench, status, moment):
    when, also = MOMENTS[moment]
    tree(bench.images, {"p000.bmp": large() if when == "reading" else bmp(20, 20, 7)})
    answer = AnswerInstead(status=status, body="json" if status >= 400 else "empty", when=when)
    bench.emulator.faults = tuple(check(action, count=1) for action in (answer, *also))
    first = await bench.scan(api=PATIENT)

    expected = AFTER_ONE[status]
    if when == "reading" and status >= 500:  # it had not come whole, so nothing was done with it
        expected = replace(expected, unknown=0)
    assert told_by(first) == expected
    assert len(bench.checks()) <= 2
    assert len({entry.scan_id for entry in bench.checks()}) == (2 if status == 409 else 1)
    second = await finished_by_the_next_run(bench, first)
    nothing_is_lost(bench, first, second)
    if status != 413:
        assert first.report.credits.charged + second.report.credits.charged == 1
        assert bench.charged() == (2 if status == 409 and when == "after" else 1)


@pytest.mark.slow
@pytest.mark.parametrize("status", [400, 401, 413, 429, 500, 502, 503])
async def test_a_status_means_the_same_in_every_shape(bench, status):
    bench.pictures(len(SHAPES))
    bench.emulator.faults = tuple(
        check(AnswerInstead(status=status, body=shape), file_name=f"p{n:03}*", count=1)
        for n, shape in enumerate(SHAPES)
    )
    first = await bench.scan(api=PATIENT, pace={"concurrency": 1})

    one, many = AFTER_ONE[status], len(SHAPES)
    assert first.exit_code == one.exit_code
    assert first.statuses() == dict.fromkeys(one.statuses, many)
    assert first.reasons() == ({one.reason: many} if one.reason else {})
    assert first.report.credits.outcome_unknown == many * one.unknown
    second = await finished_by_the_next_run(bench, first)
    nothing_is_lost(bench, first, second)
    assert bench.charged() == (0 if status == 413 else many)


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["problem", "html", "empty"])
@pytest.mark.parametrize("status", [402, 403, 404])
async def test_what_stops_the_run_stops_it_midway_in_every_shape(bench, status, shape):
    bench.pictures(6)
    bench.emulator.faults = (check(AnswerInstead(status=status, body=shape), file_name="p003*"),)
    first = await bench.scan(pace={"concurrency": 1})

    stopped = AFTER_ONE[status]
    assert first.exit_code == stopped.exit_code
    assert first.statuses() == {"scanned": 3, "deferred": 3}
    assert first.reasons() == {stopped.reason: 3}
    assert first.report.run.partial
    assert first.report.run.advice
    second = await finished_by_the_next_run(bench, first)
    nothing_is_lost(bench, first, second)
    assert bench.charged() == 6


NO_ANSWERS = {
    "charged 500": (AnswerInstead(status=500, when="after"), "server_error"),
    "charged 504": (AnswerInstead(status=504, when="after"), "server_error"),
    "504": (AnswerInstead(status=504, body="html"), "server_error"),
    "charged 204": (AnswerInstead(status=204, body="empty", when="after"), "bad_response"),
    "reset": (Reset(when="after"), "outcome_unknown"),
    "torn": (Tear(), "bad_response"),
}


@pytest.mark.slow
@pytest.mark.parametrize("duplicate", ["replay", "rescan", "conflict"])
@pytest.mark.parametrize("end", NO_ANSWERS)
async def test_what_got_no_answer_is_asked_under_the_same_id_by_the_next_run(
    bench_with, end, duplicate
):
    action, reason = NO_ANSWERS[end]
    async with bench_with(duplicate=duplicate) as bench:
        bench.pictures(1)
        bench.emulator.faults = (check(action),)
        first = await bench.scan(api={**PATIENT, "attempts": 1})

        assert told_by(first) == Told(3, FAILED, reason, 1)
        bench.emulator.faults = ()
        second = await bench.scan()
        conflict = duplicate == "conflict" and end != "504"
        assert told_by(second) == Told()
        assert second.lines["p000.png"].generation == (2 if conflict else 1)
        assert len({entry.scan_id for entry in bench.checks()[:2]}) == 1
        assert bench.charged() == 1 + (duplicate != "replay" and end != "504")
        nothing_is_lost(bench, first, second)
        assert second.report.credits.charged == 1


@pytest.mark.parametrize("revoke", ["once", "midway", "for ever"])
async def test_a_401_costs_one_login_and_never_a_second_credit(bench, revoke):
    bench.pictures(6)
    bench.emulator.faults = {
        "once": (check(RevokeTokens(), nth=4),),
        "midway": (check(AnswerInstead(status=401, when="after"), file_name="p003*"),),
        "for ever": (check(RevokeTokens()),),
    }[revoke]
    first = await bench.scan(pace={"concurrency": 1})

    scanned = {"once": 6, "midway": 3, "for ever": 0}[revoke]
    assert first.report.files.scanned == scanned
    assert first.exit_code == (0 if revoke == "once" else 4)
    assert first.reasons() == ({} if revoke == "once" else {"auth": 6 - scanned})
    assert first.report.api.logins == 2
    second = await finished_by_the_next_run(bench, first)
    nothing_is_lost(bench, first, second)
    assert bench.charged() == 6


@pytest.mark.parametrize(("balance", "price"), [(5, 1), (7, 3)])
async def test_credits_that_end_midway_are_spent_to_the_last_and_bought_ones_go_on(
    bench_with, balance, price
):
    async with bench_with(credits=balance, credits_per_image=price) as bench:
        bench.pictures(12)
        first = await bench.scan()
        affordable = balance // price

        assert first.exit_code == 6
        assert first.statuses() == {"scanned": affordable, "deferred": 12 - affordable}
        assert first.reasons() == {"credits": 12 - affordable}
        assert first.report.credits.charged == bench.charged() == affordable * price

        bench.emulator.account.balance = 100
        second = await finished_by_the_next_run(bench, first)
        assert second.report.credits.charged == (12 - affordable) * price
        assert bench.charged() == 12 * price


@pytest.mark.parametrize("status", [302, 307, 308])
@pytest.mark.parametrize("route", ["login", "check", "credits"])
async def test_a_redirect_is_not_followed_with_key_or_token(bench, status, route):
    seen: list[bytes] = []

    async def elsewhere(reader, writer):
        seen.append(await reader.read(1000))

    bench.pictures(2)
    async with scripted(elsewhere) as target:
        redirect = AnswerInstead(
            status=status, body="html", headers={"Location": f"{target}/login"}
        )
        bench.emulator.faults = (Fault(route=route, action=redirect),)
        first = await bench.scan()
        assert seen == []

    if route == "credits":
        assert told_by(first) == Told(0, {"scanned": 2})
        assert first.report.credits.balance is None
    else:
        assert told_by(first) == Told(8, {"deferred": 2}, "unavailable")
        assert bench.charged() == 0
    await finished_by_the_next_run(bench, first)


@pytest.mark.parametrize(
    "action",
    [
        AnswerInstead(status=429, headers={"Retry-After": "86400"}),
        *(AnswerInstead(status=status) for status in (401, 402, 403, 404, 500)),
        AnswerInstead(status=200, body="garbage"),
        AnswerInstead(status=503, body="html"),
        Reset(when="before"),
        Tear(),
    ],
)
async def test_a_fault_at_the_balance_costs_the_balance_and_nothing_else(bench, action):
    bench.pictures(2)
    bench.emulator.faults = (Fault(route="credits", action=action),)
    first = await bench.scan()

    assert told_by(first) == Told(0, {"scanned": 2})
    assert first.report.credits.balance is None
    assert first.report.credits.charged == bench.charged() == 2


async def test_unknown_fields_and_kinds_of_matches_are_kept_and_counted_apart(bench):
    bodies: tuple[OddBody, ...] = ("unknown_type", "extra_keys", "odd_urls", "huge")
    bench.pictures(len(bodies))
    bench.emulator.faults = tuple(
        check(Odd(body=body), file_name=f"p{n:03}*") for n, body in enumerate(bodies)
    )
    first = await bench.scan()

    assert told_by(first).statuses == {"scanned": len(bodies)}
    lines = dict(zip(bodies, (first.lines[f"p{n:03}.png"] for n in range(4)), strict=True))
    assert [match.kind for match in lines["unknown_type"].matches] == ["other"]
    assert "unknown_match_type" in lines["unknown_type"].warnings
    assert [match.kind for match in lines["extra_keys"].matches] == ["full"]
    assert {"odd_match", "score_mismatch"} <= set(lines["odd_urls"].warnings)
    assert len(lines["huge"].matches) == 20_000
    assert first.report.matches.total == sum(len(line.matches) for line in lines.values())
    nothing_is_lost(bench, first)
    await finished_by_the_next_run(bench, first)
