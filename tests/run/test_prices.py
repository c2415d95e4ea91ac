"""Budgets against a service whose prices change, over real sockets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from batchscan import Pace, Rate, Spend
from batchscan.pace import SystemClock
from tests.support.bench import FAST

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


async def test_a_free_account_is_scanned_whole_within_a_budget(bench_with):
    async with bench_with(price_of=lambda number: 0) as bench:
        bench.pictures(30)
        ran = await bench.scan(pace=busy(), spend=Spend(max_credits=2))

        assert ran.exit_code == 0
        assert ran.statuses() == {"scanned": 30}


async def test_a_price_that_rises_is_known_to_all_that_wait(bench_with):
    async with bench_with(price_of=after(1, 5, seen=10), latency=0.05) as bench:
        bench.pictures(80)
        slow = replace(busy(), rate=(Rate(50, 1.0),))
        ran = await bench.scan(SystemClock(), pace=slow, spend=Spend(max_credits=64))

        assert ran.exit_code == 5
        sent_unknowing = 12  # 0.05 s at 50 a second, and what a slow machine adds
        assert 60 <= bench.charged() <= 64 + 4 * sent_unknowing


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
