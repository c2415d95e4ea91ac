from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.enums import DeferReason
from batchscan.errors import LimitReached
from batchscan.pipeline.budget import Budget, Reservation
from batchscan.settings import Spend


def spend(**limits) -> Spend:
    return Spend(**limits)


CHARGES = st.sampled_from([0, 0, 1, 1, 1, 2, 3, 5, 40, 10**15, None])


@st.composite
def requests(draw):
    """Requests: turns in the gate, turns under way, and what the answer charges (None: none came)."""
    turns = st.integers(0, 3)
    return draw(st.lists(st.tuples(turns, turns, CHARGES), max_size=40))


@given(
    st.integers(0, 12),
    requests(),
    st.dictionaries(st.sampled_from([0, 1, 2, 7, 40, 10**15]), st.integers(1, 4), max_size=4),
)
async def test_a_budget_is_never_exceeded_by_known_prices(most, asked, earlier):
    """The bound: of each request under way when a dearer answer came, what it costs beyond the
    largest charge seen until it left."""
    budget = Budget(spend(max_credits=most), earlier, 0.0)
    unknown = Unknown(budget)

    async def ask(waits: int, takes: int, charge: int | None) -> None:
        reserved = await leaving(budget, waits)
        if reserved is None:
            return
        known = reserved.credits
        for _ in range(takes):
            await asyncio.sleep(0)
        unknown.enter(known, charge)
        await budget.settle(reserved, charge)
        assert budget.spent <= most + unknown.credits

    await asyncio.gather(*(ask(*request) for request in asked))

    assert budget.spent <= most + unknown.credits


class Unknown:
    """What requests cost beyond what was known when they left."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._beyond = 0
        self._in_doubt: list[int] = []

    def enter(self, known: int, charge: int | None) -> None:
        if charge is None:
            self._in_doubt.append(known)
        else:
            self._budget.observe_charge(charge)
            self._beyond += max(0, charge - known)

    @property
    def credits(self) -> int:
        doubts = (max(0, self._budget.doubt - known) for known in self._in_doubt)
        return self._beyond + sum(doubts)


async def leaving(budget: Budget, waits: int) -> Reservation | None:
    """The reservation with which a request may leave; None where the budget is used up."""
    while True:
        try:
            reserved = await budget.reserve()
        except LimitReached:
            return None
        for _ in range(waits):
            await asyncio.sleep(0)
        if budget.still_covers(reserved):
            return reserved
        await budget.settle(reserved, 0)


@given(
    st.dictionaries(st.integers(0, 5), st.integers(2, 50), min_size=1, max_size=5),
    st.integers(1_001, 10**18),
    st.booleans(),
)
async def test_one_absurd_charge_blocks_no_later_run(usual, absurd, alone):
    earlier = {absurd: 1} if alone else {**usual, absurd: 1}
    budget = Budget(spend(max_credits=100), earlier, 0.0)

    first = await budget.reserve()
    assert first.credits <= 5
    second = asyncio.create_task(budget.reserve())  # it may have been a new price: look first
    await asyncio.sleep(0)
    assert not second.done()
    budget.observe_charge(1)
    await budget.settle(first, 1)
    await second


async def test_a_free_answer_leaves_the_budget_on():
    budget = Budget(spend(max_credits=5), None, 0.0)
    first = await budget.reserve()
    budget.observe_charge(0)
    await budget.settle(first, 0)

    waiting = [asyncio.create_task(budget.reserve()) for _ in range(65)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert sum(task.done() for task in waiting) == 5
    for task in waiting:
        task.cancel()


async def test_any_budget_allows_a_full_scan_with_a_free_account():
    budget = Budget(spend(max_credits=0), {0: 3}, 0.0)
    for _ in range(100):
        await budget.settle(await budget.reserve(), 0)
    costs = await budget.reserve()
    budget.observe_charge(1)
    await budget.settle(costs, 1)

    with pytest.raises(LimitReached):
        await budget.reserve()
    assert budget.spent == 1


async def test_the_price_is_looked_at_again_when_a_request_leaves():
    budget = Budget(spend(max_credits=64), {1: 10}, 0.0)
    reserved = [await budget.reserve() for _ in range(64)]
    assert all(budget.still_covers(each) for each in reserved[:2])
    for each in reserved[:2]:
        budget.observe_charge(10)
        await budget.settle(each, 10)

    left = [each for each in reserved[2:] if budget.still_covers(each)]
    assert len(left) == 0  # 20 of 64 are spent, and 62 wait with a credit each
    for each in reserved[2:]:
        await budget.settle(each, 0)
    again = [await budget.reserve() for _ in range(4)]
    assert [each.credits for each in again] == [10] * 4
    assert all(budget.still_covers(each) for each in again)


async def test_the_first_goes_alone_until_an_answer_has_shown_the_price():
    budget = Budget(spend(max_credits=10), None, 0.0)
    first = await budget.reserve()
    second = asyncio.create_task(budget.reserve())
    await asyncio.sleep(0)
    assert not second.done()

    budget.observe_charge(4)
    await budget.settle(first, 4)
    reserved = await second
    assert reserved.credits == 4
    third = asyncio.create_task(budget.reserve())
    await budget.settle(reserved, 4)
    with pytest.raises(LimitReached):
        await third


async def test_what_a_failed_request_gives_back_can_be_spent_by_one_that_waits():
    budget = Budget(spend(max_credits=1), {1: 1}, 0.0)
    reserved = await budget.reserve()
    waiting = asyncio.create_task(budget.reserve())
    await asyncio.sleep(0)
    await budget.settle(reserved, 0)

    assert (await waiting).credits == 1


async def test_without_a_budget_no_request_waits():
    budget = Budget(spend(), None, 0.0)

    assert [(await budget.reserve()).credits for _ in range(100)] == [1] * 100


async def test_the_limit_counts_pictures():
    budget = Budget(spend(limit=2), None, 0.0)
    for _ in range(2):
        async with budget.admitted(0.0):
            pass

    with pytest.raises(LimitReached) as stop:
        async with budget.admitted(0.0):
            pass
    assert stop.value.defer_reason is DeferReason.LIMIT


async def test_the_limit_is_not_reached_while_those_within_it_are_asked_about():
    budget = Budget(spend(limit=1), None, 0.0)

    async def ask() -> None:
        async with budget.admitted(0.0):
            pass

    async with budget.admitted(0.0):
        second = asyncio.create_task(ask())
        await asyncio.sleep(0.01)
        assert not second.done()
    with pytest.raises(LimitReached):
        await second


async def test_after_the_longest_duration_nothing_starts():
    budget = Budget(spend(max_duration=60.0), None, 100.0)
    async with budget.admitted(159.9):
        pass

    with pytest.raises(LimitReached) as stop:
        async with budget.admitted(160.0):
            pass
    assert stop.value.defer_reason is DeferReason.DURATION


async def test_possible_charges_are_counted_at_the_price_learned_later():
    budget = Budget(spend(max_credits=10), None, 0.0)
    await budget.settle(await budget.reserve(), None)
    assert budget.spent == 1

    budget.observe_charge(4)
    await budget.settle(await budget.reserve(), 4)
    assert budget.spent == 8
    with pytest.raises(LimitReached):
        await budget.reserve()


@pytest.mark.parametrize(
    ("limits", "spent", "advice"),
    [
        ({"limit": 0}, 0, "raise it: with 0 nothing is sent"),
        ({"max_duration": 0.0}, 0, "raise it: with 0 nothing is sent"),
        ({"max_credits": 0}, 0, "raise it: the next picture may cost 3 credits"),
        ({"max_credits": 2}, 0, "raise it: the next picture may cost 3 credits"),
        ({"max_credits": 5}, 3, "run the same command again to continue"),
        ({"limit": 1}, 3, "run the same command again to continue"),
    ],
)
async def test_the_advice_at_a_limit_helps(limits, spent, advice):
    budget = Budget(spend(**limits), {3: 1}, 0.0)

    async def submit_two() -> None:
        for _ in range(2):
            async with budget.admitted(0.0), budget.reserved() as reservation:
                reservation.charged = spent

    with pytest.raises(LimitReached) as reached:
        await submit_two()

    assert reached.value.advice == advice
