"""Budgets against a service whose prices change, over real sockets."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from batchscan import Pace, Rate, Spend
from batchscan.emulator import Fault
from batchscan.emulator.fault_actions import AnswerInstead, Hang
from tests.support.bench import FAST
from tests.support.processes import Process, killed_at, reports

MANY = 10**18


def after(first: int, later: int, *, seen: int = 1):
    """One price for the first checks, another one later."""
    return lambda number: first if number < seen else later


def busy(concurrency: int = 64) -> Pace:
    return Pace(rate=FAST, concurrency=concurrency, headroom=0.0)


@pytest.mark.parametrize("setting", ["max_credits", "per_day", "per_month"])
async def test_a_free_first_answer_leaves_every_budget_on(bench_with, setting):
    async with bench_with(price_of=after(0, 1), latency=0.05) as bench:
        bench.pictures(80)
        ran = await bench.scan(pace=busy(), spend={setting: 5})

        assert ran.exit_code == 5
        assert bench.charged() == 5


async def test_an_earlier_free_run_leaves_a_budget_on(bench_with):
    async with bench_with(price_of=after(0, 1, seen=3), latency=0.05) as bench:
        bench.pictures(3)
        await bench.scan()
        bench.pictures(80)
        await bench.scan(pace=busy(), spend=Spend(max_credits=5))

        assert bench.charged() == 5


async def test_a_budget_allows_a_full_scan_with_a_free_account(bench_with):
    async with bench_with(price_of=lambda number: 0) as bench:
        bench.pictures(30)
        ran = await bench.scan(pace=busy(), spend=Spend(max_credits=2))

        assert ran.exit_code == 0
        assert ran.statuses() == {"scanned": 30}


async def test_a_risen_price_applies_to_all_waiting_requests(bench_with):
    async with bench_with(price_of=after(1, 5, seen=10), latency=0.05) as bench:
        bench.pictures(80)
        slow = replace(busy(), rate=(Rate(50, 1.0),))
        ran = await bench.scan(pace=slow, spend=Spend(max_credits=64))

        assert ran.exit_code == 5
        sent_unknowing = 3  # in 0.05 s at 50 a second
        assert 60 <= bench.charged() <= 64 + 4 * sent_unknowing


@pytest.mark.slow
@pytest.mark.parametrize("setting", ["max_credits", "per_day", "per_month"])
@pytest.mark.parametrize("before", [0, 5])
async def test_one_absurd_price_ends_no_later_run(bench_with, setting, before):
    def price(number: int) -> int:
        return 10**15 if number == before else 1

    async with bench_with(price_of=price, credits=MANY, latency=0.02) as bench:
        bench.pictures(before + 1)
        await bench.scan(pace=busy(1))
        bench.pictures(before + 41)
        ran = await bench.scan(pace=busy(), spend={setting: 20})

        assert ran.exit_code == 5
        earlier = 0 if setting == "max_credits" else before + 1
        assert ran.statuses()["scanned"] == 20 - earlier


async def test_an_absurd_price_within_a_run_ends_that_run_only(bench_with):
    def price(number: int) -> int:
        return 10**15 if number == 3 else 1

    async with bench_with(price_of=price, credits=MANY) as bench:
        bench.pictures(20)
        ran = await bench.scan(pace=busy(1), spend=Spend(max_credits=10))
        assert ran.statuses()["scanned"] == 4
        ran = await bench.scan(pace=busy(1), spend=Spend(max_credits=10))
        assert ran.statuses()["scanned"] == 10


async def test_a_second_run_counts_a_dearer_price_from_its_first_answer(bench_with):
    async with bench_with(price_of=after(1, 40, seen=20), credits=MANY, latency=0.05) as bench:
        bench.pictures(21)
        await bench.scan(pace=busy(1))
        bench.pictures(100)
        before = bench.charged()
        await bench.scan(pace=busy(), spend=Spend(max_credits=100))

        assert bench.charged() - before == 80  # one alone, then one more


async def test_a_run_killed_before_any_price_was_known_is_counted_at_the_one_learned_later(
    bench_with,
):
    async with bench_with(price_of=lambda number: 7, credits=MANY) as bench:
        bench.emulator.faults = (Fault(route="check", count=6, action=Hang()),)
        bench.pictures(6)
        await killed_at(bench, "last-byte-left", 6, "-j", "6", "--rate", "1000/s")
        code, out, err = await Process(bench).run("-j", "6", "--rate", "1000/s", "--limit", "1")

        assert code == 5, out + err
        first, second = reports(bench)
        assert (first["run"]["exit_reason"], first["credits"]["outcome_unknown"]) == ("killed", 42)
        assert second["credits"]["charged"] == 7
        assert bench.charged() <= 42 + 7
        latest = os.readlink(bench.folder / "output" / "latest")
        assert latest == f"runs/{second['run']['id']}"
        page = (bench.folder / "output" / "runs" / first["run"]["id"] / "report.html").read_text()
        assert 'value="42" data-figure="credits.outcome_unknown"' in page


@pytest.mark.parametrize("setting", ["max_credits", "per_day", "per_month"])
async def test_what_was_in_doubt_before_a_price_was_known_counts_at_that_price(bench_with, setting):
    async with bench_with(price_of=lambda number: 5, credits=MANY) as bench:
        bench.emulator.faults = (
            Fault(route="check", count=2, action=AnswerInstead(status=500, when="after")),
        )
        bench.pictures(20)
        ran = await bench.scan(pace=busy(), spend={setting: 22})

        assert ran.exit_code == 5
        assert ran.report.credits.outcome_unknown == 10
        assert bench.charged() <= 22
        asked = {
            status: {check.scan_id for check in bench.checks() if check.status == status}
            for status in (200, 500)
        }
        answered_since = len(asked[200] & asked[500])  # and charged once, but counted twice
        assert bench.charged() == ran.report.credits.charged + 10 - 5 * answered_since
