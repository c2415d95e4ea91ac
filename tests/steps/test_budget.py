from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.errors import LimitReached
from batchscan.names import DeferReason
from batchscan.settings import Spend
from batchscan.steps.budget import Budget


def spend(**limits) -> Spend:
    return Spend(**limits)


@given(
    st.integers(0, 12),
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0, 1])), max_size=30),
    st.booleans(),
)
async def test_a_budget_is_never_exceeded_by_any_interleaving(most, requests, price_known):
    budget = Budget(spend(max_credits=most), 1 if price_known else None, 0.0)
    stopped = 0

    async def ask(steps: int, charge: int) -> None:
        nonlocal stopped
        try:
            reserved = await budget.reserve()
        except LimitReached:
            stopped += 1
            return
        for _ in range(steps):
            await asyncio.sleep(0)
        if charge:
            budget.learn(charge)
        await budget.give_back(reserved, charge)
        assert budget.spent <= most

    await asyncio.gather(*(ask(*request) for request in requests))

    charged = sum(charge for _, charge in requests)
    assert budget.spent <= most
    assert budget.spent == min(charged, most) or stopped == 0 or budget.spent == most


async def test_the_first_goes_alone_until_an_answer_has_shown_the_price():
    budget = Budget(spend(max_credits=10), None, 0.0)
    first = await budget.reserve()
    second = asyncio.create_task(budget.reserve())
    await asyncio.sleep(0)
    assert not second.done()

    budget.learn(4)
    await budget.give_back(first, 4)
    assert await second == 4
    third = asyncio.create_task(budget.reserve())
    await budget.give_back(4, 4)
    with pytest.raises(LimitReached):
        await third


async def test_what_a_failed_request_gives_back_can_be_spent_by_one_that_waits():
    budget = Budget(spend(max_credits=1), 1, 0.0)
    reserved = await budget.reserve()
    waiting = asyncio.create_task(budget.reserve())
    await asyncio.sleep(0)
    await budget.give_back(reserved, 0)

    assert await waiting == 1


async def test_without_a_budget_nobody_waits():
    budget = Budget(spend(), None, 0.0)

    assert [await budget.reserve() for _ in range(100)] == [1] * 100


def test_the_limit_counts_pictures():
    budget = Budget(spend(limit=2), None, 0.0)
    budget.start_picture(0.0)
    budget.start_picture(0.0)

    with pytest.raises(LimitReached) as stop:
        budget.start_picture(0.0)
    assert stop.value.defers_as is DeferReason.LIMIT


def test_after_the_longest_duration_nothing_starts():
    budget = Budget(spend(max_duration=60.0), None, 100.0)
    budget.start_picture(159.9)

    with pytest.raises(LimitReached) as stop:
        budget.start_picture(160.0)
    assert stop.value.defers_as is DeferReason.DURATION
