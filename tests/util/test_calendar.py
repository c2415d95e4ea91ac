"""Budgets by the calendar."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.enums import DeferReason
from batchscan.errors import LimitReached
from batchscan.ledger import Spent
from batchscan.pipeline.budget import Budget
from batchscan.pipeline.calendar_budget import CalendarBudget
from batchscan.settings import Spend

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp()
HOUR, DAY = 3600.0, 86_400.0


class Wall:
    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def windows(wall: Wall, before: int = 0, **spend) -> CalendarBudget:
    found = CalendarBudget.of(Spend(**spend), wall, lambda since, most: Spent(before, 0))
    assert found is not None
    return found


def test_without_a_bound_there_are_no_windows():
    assert CalendarBudget.of(Spend(max_credits=5), Wall(), lambda since, most: Spent(0, 0)) is None


def test_a_day_begins_at_midnight_of_its_time_zone():
    wall = Wall(datetime(2026, 11, 25, 22, 59, tzinfo=UTC).timestamp())
    berlin = windows(wall, per_day=1, time_zone="Europe/Berlin")
    berlin.spend(1)
    assert "2026-11-26T00:00+01:00" in str(berlin.full(1, 1, again=False))

    wall.now += 60
    assert berlin.full(1, 1, again=False) is None


@pytest.mark.parametrize("day", [datetime(2026, 3, 29), datetime(2026, 10, 25)])  # noqa: DTZ001
def test_days_when_the_clocks_change_have_their_own_length(day):
    zone = ZoneInfo("Europe/Berlin")
    wall = Wall(day.replace(hour=12, tzinfo=zone).timestamp())
    window = windows(wall, per_day=1, time_zone="Europe/Berlin").day

    assert window.ends_at - window.starts_at in (23 * HOUR, 25 * HOUR)
    for at in (window.starts_at, window.ends_at):
        assert datetime.fromtimestamp(at, zone).hour == 0


def test_what_other_runs_spent_counts():
    assert windows(Wall(), before=7, per_month=10).full(3, 1, again=False) is None
    assert "spend.per_month of 10" in str(
        windows(Wall(), before=8, per_month=10).full(3, 1, again=False)
    )


def test_a_clock_that_steps_back_frees_nothing():
    wall = Wall()
    day = windows(wall, per_day=1)
    day.spend(1)
    wall.now -= 2 * DAY

    used_up = day.full(1, 1, again=False)
    assert used_up is not None
    assert used_up.why.startswith("spend.per_day of 1 credit is used up until ")


@pytest.mark.parametrize(
    ("spent", "limits", "again", "advice"),
    [
        (9, {"per_day": 9}, False, "run the same command again then, or raise spend.per_day"),
        (9, {"per_day": 9, "per_month": 9}, False, "again then, or raise spend.per_month"),
        (0, {"per_day": 1}, False, "raise spend.per_day: the next picture may cost 2 credits"),
        (9, {"per_month": 30}, True, "again tomorrow, or raise spend.per_month"),
    ],
)
def test_the_advice_fits_the_budget_that_is_used_up(spent, limits, again, advice):
    budget = windows(Wall(datetime(2026, 11, 21, 3, tzinfo=UTC).timestamp()), **limits)
    budget.spend(spent)

    used_up = budget.full(2, 2, again=again)

    assert used_up is not None
    assert used_up.advice.endswith(advice)


def test_what_is_asked_again_is_spread_over_the_days_that_are_left():
    wall = Wall(datetime(2026, 11, 21, 3, tzinfo=UTC).timestamp())  # ten days are left
    month = windows(wall, per_month=100)
    month.spend(10)

    assert month.full(1, 1, again=False) is None
    assert "even share" in str(month.full(1, 1, again=True))
    wall.now += DAY
    assert month.full(10, 1, again=True) is None
    assert month.full(11, 1, again=True) is not None


@given(
    st.integers(0, 6),
    st.integers(0, 20),
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.5, 7 * HOUR, 30 * HOUR]), st.integers(0, 3)), max_size=60
    ),
    st.booleans(),
)
async def test_no_calendar_window_ever_holds_more_than_its_budget(
    per_day, per_month, requests, again
):
    wall = Wall(datetime(2026, 11, 29, 23, 59, 59, tzinfo=UTC).timestamp())
    bounds = CalendarBudget.of(
        Spend(per_day=per_day, per_month=per_month), wall, lambda since, most: Spent(0, 0)
    )
    budget = Budget(Spend(), {1: 1}, 0.0, bounds)
    days: Counter[str] = Counter()
    months: Counter[str] = Counter()
    refusals: set[DeferReason] = set()

    async def ask(wait: float, steps: int) -> None:
        wall.now += wait
        try:
            reserved = await budget.reserve(again=again)
        except LimitReached as limit:
            refusals.add(limit.defer_reason)
            return
        for _ in range(steps):
            await asyncio.sleep(0)
        charged_at = datetime.fromtimestamp(wall.now, UTC)
        days[charged_at.strftime("%F")] += 1
        months[charged_at.strftime("%Y-%m")] += 1
        await budget.settle(reserved, 1)

    await asyncio.gather(*(ask(*request) for request in requests))

    assert refusals <= {DeferReason.BUDGET}
    assert all(spent <= per_day for spent in days.values())
    assert all(spent <= per_month for spent in months.values())
