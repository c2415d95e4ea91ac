"""What an answer means: each fault of the service or the way to it, over real sockets."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from msgspec import structs

from batchscan import Rate
from batchscan.emulator import Fault, LoginLimit
from batchscan.emulator.fault_actions import (
    AnswerInstead,
    Drip,
    EmptyBalance,
    Hang,
    Odd,
    Reset,
    RevokeTokens,
    Tear,
)
from tests.support.pictures import png, tree

QUICK = {"attempts": 2, "connect_timeout": 1.0, "read_timeout": 1.0}


def check(action, **when) -> tuple[Fault, ...]:
    return (Fault(route="check", action=action, **when),)


def login(action, **when) -> tuple[Fault, ...]:
    return (Fault(route="login", action=action, **when),)


@pytest.mark.parametrize("status", [500, 502, 504])
@pytest.mark.parametrize("body", ["json", "html", "empty"])
async def test_a_server_error_is_tried_again_under_the_same_id(bench, status, body):
    bench.pictures(1)
    bench.emulator.faults = check(AnswerInstead(status=status, body=body), count=1)
    ran = await bench.scan()

    assert ran.exit_code == 0
    assert ran.lines["p000.png"].attempts == 2
    assert len({entry.scan_id for entry in bench.checks()}) == 1
    assert bench.charged() == 1


async def test_a_picture_that_the_service_errs_on_fails_and_the_others_do_not(bench):
    bench.pictures(4)
    bench.emulator.faults = check(AnswerInstead(status=500), file_name="p002*")
    ran = await bench.scan(api=QUICK)

    assert ran.exit_code == 3
    assert ran.statuses() == {"scanned": 3, "failed": 1}
    line = ran.lines["p002.png"]
    assert (line.reason, line.attempts, line.error.http_status) == ("server_error", 2, 500)
    assert ran.report.credits.outcome_unknown == 2

    bench.emulator.faults = ()
    again = await bench.scan()
    assert again.statuses() == {"scanned": 1}
    assert again.lines["p002.png"].scan_id == line.scan_id


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("headers", [{}, {"Retry-After": "1"}, {"Retry-After": "soon"}])
async def test_a_temporary_refusal_does_not_count_as_an_attempt(bench, status, headers):
    bench.pictures(3)
    bench.emulator.faults = check(AnswerInstead(status=status, headers=headers), count=2)
    ran = await bench.scan(api={"attempts": 1})

    assert ran.exit_code == 0
    assert bench.charged() == 3
    assert ran.report.api.rate_limited == (2 if status == 429 else 0)


async def test_a_refusal_that_lasts_too_long_puts_everything_off(bench):
    bench.pictures(5)
    bench.emulator.faults = check(AnswerInstead(status=429, headers={"Retry-After": "86400"}))
    ran = await bench.scan()

    assert ran.exit_code == 8
    assert ran.reasons() == {"unavailable": 5}
    assert bench.charged() == 0


@pytest.mark.parametrize(
    "action", [AnswerInstead(status=503), AnswerInstead(status=500, body="html")]
)
async def test_during_an_outage_single_probes_go_out_and_the_end_is_exit_8(bench, action):
    bench.pictures(30)
    bench.emulator.faults = check(action)
    ran = await bench.scan(api={"retry_for": 40.0})

    assert ran.exit_code == 8
    perhaps = len({e.sha256 for e in bench.checks()}) if action.status == 500 else 0
    assert +ran.reasons() == +Counter(unavailable=30 - perhaps, outcome_unknown=perhaps)
    probes = 6  # after 1, 2, 4, 8, 16 and 9 s of waiting; 1 to 8 were under way when it began
    assert probes < len(bench.checks()) <= 8 + probes


async def test_an_outage_that_ends_is_waited_out(bench):
    bench.pictures(10)
    bench.emulator.faults = check(AnswerInstead(status=503), until=0.5)
    ran = await bench.scan()

    assert ran.exit_code == 0
    assert ran.statuses() == {"scanned": 10}


async def test_an_unreachable_address_is_an_outage_too(bench):
    bench.pictures(3)
    ran = await bench.scan(api={"url": "http://127.0.0.1:9", "retry_for": 10.0})

    assert ran.exit_code == 8
    assert ran.reasons() == {"unavailable": 3}
    assert ran.report.credits.outcome_unknown == 0


@pytest.mark.parametrize("status", [301, 404, 405])
async def test_a_wrong_address_is_reported_at_once(bench, status):
    bench.pictures(3)
    bench.emulator.faults = check(AnswerInstead(status=status, headers={"Location": "/elsewhere"}))
    ran = await bench.scan()

    assert ran.exit_code == 8
    assert bench.emulator.url in ran.report.run.message
    assert ran.reasons() == {"unavailable": 3}


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (login(AnswerInstead(status=401, body="message")), 4),
        (login(AnswerInstead(status=400, body="json")), 4),
        (check(AnswerInstead(status=403)), 4),
        (check(AnswerInstead(status=401, body="problem")), 4),
        (check(AnswerInstead(status=402)), 6),
        (check(AnswerInstead(status=400, code=17)), 6),
    ],
)
async def test_what_no_picture_can_help_stops_the_run(bench, fault, code):
    bench.pictures(12)
    bench.emulator.faults = fault
    ran = await bench.scan()

    assert ran.exit_code == code
    assert ran.statuses() == {"deferred": 12}
    assert ran.report.run.message
    assert ran.report.run.advice
    assert len(bench.emulator.journal) <= 26  # what was under way, twice at most


async def test_a_revoked_token_costs_one_login_and_nothing_else(bench):
    bench.pictures(20)
    bench.emulator.faults = check(RevokeTokens(), nth=5)
    ran = await bench.scan()

    assert ran.exit_code == 0
    assert bench.charged() == 20
    assert len(bench.emulator.journal.of("login")) == 2
    assert ran.report.api.logins == 2


async def test_credits_that_vanish_midway_stop_the_run(bench):
    bench.pictures(20)
    bench.emulator.faults = check(EmptyBalance(), nth=6)
    ran = await bench.scan(pace={"concurrency": 2})

    assert ran.exit_code == 6
    assert ran.statuses()["scanned"] == bench.charged()
    assert ran.reasons()["credits"] == 20 - bench.charged()


async def test_pictures_that_the_service_refuses_are_rejected_for_good(bench):
    bench.pictures(4)
    bench.emulator.faults = check(AnswerInstead(status=415, code=10), file_name="p001*")
    ran = await bench.scan()
    assert ran.exit_code == 0
    assert ran.reasons() == {"refused_by_api": 1}

    tree(bench.images, {"copy.png": png(16, 16, 1)})
    asked = len(bench.checks())
    again = await bench.scan()
    assert again.reasons() == {"refused_by_api": 1}  # the copy, without asking
    assert again.report.files.unchanged == 4
    assert len(bench.checks()) == asked


@pytest.mark.parametrize("status", [413, 400])
async def test_ten_refusals_in_a_row_are_not_the_pictures_fault(bench, status):
    bench.pictures(15)
    bench.emulator.faults = check(AnswerInstead(status=status, body="text"))
    ran = await bench.scan(pace={"concurrency": 1})

    assert ran.exit_code == 8
    assert ran.reasons() == {"unavailable": 15}
    assert len(bench.checks()) == 10

    bench.emulator.faults = ()
    again = await bench.scan()
    assert again.statuses() == {"scanned": 15}


async def test_nine_refusals_in_a_row_are_the_pictures_fault(bench):
    bench.pictures(9)
    bench.emulator.faults = check(AnswerInstead(status=413))
    ran = await bench.scan()

    assert ran.reasons() == {"refused_by_api": 9}
    assert ran.exit_code == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("duplicate", "charged", "unknown"), [("replay", 1, 1), ("rescan", 2, 1), ("conflict", 2, 1)]
)
@pytest.mark.parametrize("action", [Reset(when="after"), Tear(), Hang(when="after")])
async def test_an_answer_lost_on_the_way_is_asked_for_again(
    bench_with, duplicate, charged, unknown, action
):
    async with bench_with(duplicate=duplicate) as bench:
        bench.pictures(1)
        bench.emulator.faults = check(action, count=1)
        ran = await bench.scan(api={"read_timeout": 0.5})

        assert ran.exit_code == 0
        assert bench.charged() == charged
        assert ran.report.credits.charged == 1
        assert ran.report.credits.outcome_unknown == unknown
        assert ran.lines["p000.png"].generation == (2 if duplicate == "conflict" else 1)


async def test_a_spent_id_stops_the_picture_where_the_user_wants_to_decide(bench_with):
    async with bench_with(duplicate="conflict") as bench:
        bench.pictures(1)
        stop = {"after_conflict": "stop"}
        bench.emulator.faults = check(Reset(when="after"), count=1)
        first = await bench.scan(api=stop)
        second = await bench.scan(api=stop)
        assert [ran.reasons() for ran in (first, second)] == [{"outcome_unknown": 1}] * 2
        assert first.exit_code == second.exit_code == 3
        assert bench.charged() == 1

        forced = await bench.scan(api=stop, force=True)
        assert forced.statuses() == {"scanned": 1}
        assert bench.charged() == 2


@pytest.mark.parametrize("when", ["before", "reading"])
async def test_a_connection_cut_before_the_charge_costs_nothing(bench, when):
    bench.pictures(1)
    bench.emulator.faults = check(Reset(when=when), count=1)
    ran = await bench.scan()

    assert ran.exit_code == 0
    assert bench.charged() == 1


async def test_a_200_that_is_not_an_answer_is_never_reported_as_no_match(bench):
    bench.pictures(1)
    bench.emulator.faults = check(Odd(body="not_json"))
    ran = await bench.scan(api=QUICK)

    assert ran.exit_code == 3
    assert ran.reasons() == {"bad_response": 1}
    assert ran.report.credits.outcome_unknown == 2

    bench.emulator.faults = ()
    again = await bench.scan()
    assert again.statuses() == {"scanned": 1}


@pytest.mark.parametrize("body", ["no_list", "null_list", "wrong_types"])
async def test_an_answer_whose_matches_cannot_be_read_is_kept_and_paid_once(bench, body):
    bench.pictures(1)
    bench.emulator.faults = check(Odd(body=body))
    first = await bench.scan(api=QUICK)
    bench.emulator.faults = ()
    again = await bench.scan(api=QUICK)

    assert [ran.reasons() for ran in (first, again)] == [{"bad_response": 1}] * 2
    assert [ran.exit_code for ran in (first, again)] == [3, 3]
    assert bench.charged() == len(bench.checks()) == 1
    forced = await bench.scan(force=True)
    assert forced.statuses() == {"scanned": 1}


@pytest.mark.parametrize("body", ["unknown_type", "extra_keys", "odd_urls"])
async def test_an_odd_answer_is_an_answer(bench, body):
    bench.pictures(1)
    bench.emulator.faults = check(Odd(body=body))
    ran = await bench.scan()

    assert ran.exit_code == 0
    assert ran.statuses() == {"scanned": 1}
    again = await bench.scan()
    assert again.report.matches == structs.replace(ran.report.matches, new=0)


async def test_an_answer_that_drips_too_slowly_is_no_answer(bench):
    bench.pictures(1)
    bench.emulator.faults = check(Drip(piece=1, seconds=0.05), count=1)
    ran = await bench.scan(api={"read_timeout": 0.5})

    assert ran.exit_code == 0
    assert ran.report.credits.outcome_unknown == 1


@pytest.mark.parametrize(
    "action",
    [Reset(when="after"), *(AnswerInstead(status=s, when="after") for s in (500, 502, 504))],
)
async def test_under_a_budget_a_lost_answer_counts_as_spent(bench, action):
    bench.pictures(3)
    bench.emulator.faults = check(action, nth=1)
    ran = await bench.scan(spend={"max_credits": 2}, pace={"concurrency": 1})

    assert ran.exit_code == 5
    assert bench.charged() <= 2
    assert ran.report.credits.charged + ran.report.credits.outcome_unknown <= 2


async def test_a_budget_of_one_is_not_spent_twice_on_one_picture(bench_with):
    async with bench_with(duplicate="rescan") as bench:
        bench.pictures(1)
        bench.emulator.faults = check(Reset(when="after"))
        ran = await bench.scan(spend={"max_credits": 1})

        assert bench.charged() == 1
        assert ran.reasons() == {"outcome_unknown": 1}
        assert ran.exit_code == 5


async def test_too_many_logins_are_waited_for_and_then_given_up(bench_with):
    async with bench_with(login_limit=LoginLimit(requests=0)) as bench:
        bench.pictures(2)
        ran = await bench.scan()

        assert ran.exit_code == 8  # five minutes are longer than this test's --retry-for
        assert ran.reasons() == {"unavailable": 2}
        assert len(bench.emulator.journal.of("login")) == 1

        again = await bench.scan()
        assert again.exit_code == 8
        assert len(bench.emulator.journal.of("login")) == 1  # the block outlives the run


async def test_a_strict_window_is_never_overrun(bench_with):
    async with bench_with(rates=(Rate(10, 60.0),), latency=0.01) as bench:
        bench.pictures(40)
        pace = {"rate": (Rate(10, 60.0),), "headroom": 0.05}  # 3 s: more than a machine may stall
        ran = await bench.scan(pace=pace)

        assert ran.exit_code == 0
        assert ran.report.api.rate_limited == 0


async def test_a_limit_lower_than_configured_is_learned_and_everything_is_answered(bench_with):
    async with bench_with(rates=(Rate(20, 60.0),)) as bench:
        bench.pictures(40)
        ran = await bench.scan(api={"retry_for": 900.0}, pace={"rate": (Rate(40, 60.0),)})

        assert ran.exit_code == 0
        assert bench.charged() == 40


async def test_an_error_is_written_to_the_line_with_all_its_details(bench):
    bench.pictures(2)
    answer = AnswerInstead(status=400, body="json", code=99)
    bench.emulator.faults = check(answer, file_name="p000*")
    ran = await bench.scan()
    error = ran.lines["p000.png"].error

    assert ran.reasons() == {"server_error": 1}
    assert (error.http_status, error.code) == (400, "99")
    assert json.loads(json.dumps(ran.lines["p000.png"].detail))


async def test_many_faults_at_once_close_the_books_and_double_nothing(bench):
    bench.pictures(60)
    bench.emulator.faults = (
        Fault(route="check", probability=0.1, seed=1, action=AnswerInstead(status=500)),
        Fault(route="check", probability=0.1, seed=2, action=Reset(when="after")),
        Fault(route="check", probability=0.1, seed=3, action=Tear()),
        Fault(
            route="check", every=17, action=AnswerInstead(status=429, headers={"Retry-After": "0"})
        ),
        Fault(route="check", nth=20, action=RevokeTokens()),
    )
    ran = await bench.scan(api={"retry_for": 900.0}, pace={"concurrency": 32})

    assert ran.report.files.seen == 60
    assert bench.charged() == 60  # lost answers were replayed
    assert ran.statuses()["scanned"] >= 58
