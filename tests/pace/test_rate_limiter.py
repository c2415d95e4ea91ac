from __future__ import annotations

import asyncio
import random
from itertools import pairwise

import pytest

from batchscan.errors import Unavailable
from batchscan.ledger import LearnedRate
from batchscan.pace import Permit, RateLimiter, SystemClock
from batchscan.settings import Rate
from tests.support.clocks import FakeClock


def gate(clock: FakeClock, retry_for: float = 900.0, requests: int = 10) -> RateLimiter:
    return RateLimiter([Rate(requests, 1.0)], 0.02, retry_for, clock, random.Random(1))


async def through(the_gate: RateLimiter) -> Permit:
    permit = await the_gate.acquire()
    assert permit is not None
    the_gate.mark_sent(permit)
    return permit


async def test_requests_pass_in_order_of_arrival():
    clock = FakeClock()
    the_gate = gate(clock)
    order: list[int] = []

    async def one(number: int) -> None:
        the_gate.succeeded(await through(the_gate))
        order.append(number)

    await asyncio.gather(*(one(number) for number in range(20)))

    assert order == list(range(20))


async def test_retry_after_is_the_floor_of_the_shared_pause():
    clock = FakeClock()
    the_gate = gate(clock)
    the_gate.throttled(await through(the_gate), 42.0, away=False)
    permit = await through(the_gate)

    assert permit.granted_at >= 42.0
    assert not permit.probe


async def test_pauses_double_until_sixty_seconds_while_nothing_succeeds():
    clock = FakeClock()
    the_gate = gate(clock, retry_for=10_000)
    times = []
    for _ in range(10):
        permit = await through(the_gate)
        the_gate.throttled(permit, None, away=False)
        times.append(permit.granted_at)
    gaps = [later - earlier for earlier, later in pairwise(times)]

    assert [round(gap // 1) for gap in gaps[:6]] == [1, 2, 4, 8, 16, 32]
    assert gaps[-1] == pytest.approx(60, abs=15)  # the learned rate adds its own spacing


async def test_many_429s_of_requests_sent_together_count_once():
    clock = FakeClock()
    the_gate = gate(clock, requests=1000)
    together = [await through(the_gate) for _ in range(50)]
    for permit in together:
        the_gate.throttled(permit, None, away=False)

    learned = the_gate.learned
    assert learned is not None
    assert learned.fraction == pytest.approx(0.75)
    at = clock.now
    assert (await through(the_gate)).granted_at <= at + 2.0


async def test_while_the_service_is_away_one_probe_goes_out_at_a_time():
    clock = FakeClock()
    the_gate = gate(clock)
    the_gate.throttled(await through(the_gate), None, away=True)
    probe = await through(the_gate)
    waiting = asyncio.create_task(the_gate.acquire())
    for _ in range(20):
        await asyncio.sleep(0)

    assert probe.probe
    assert not waiting.done()

    the_gate.succeeded(probe)
    permit = await waiting
    assert permit is not None
    assert not permit.probe


async def test_a_failed_probe_lets_the_next_one_out_after_a_pause():
    clock = FakeClock()
    the_gate = gate(clock)
    the_gate.throttled(await through(the_gate), None, away=True)
    probe = await through(the_gate)
    the_gate.failed(probe, "a", reached=False)
    second = await through(the_gate)

    assert second.probe
    assert second.granted_at >= probe.granted_at + 2


async def test_one_failing_picture_is_not_an_outage_but_three_are():
    clock = FakeClock()
    the_gate = gate(clock)
    for _ in range(5):
        the_gate.failed(await through(the_gate), "poison", reached=True)
    assert the_gate.waiting is None

    for picture in "ab":
        the_gate.failed(await through(the_gate), picture, reached=True)
    assert the_gate.waiting is not None


async def test_an_outage_ends_the_run_after_retry_for():
    clock = FakeClock()
    the_gate = gate(clock, retry_for=100)
    first = await through(the_gate)
    the_gate.failed(first, "a", reached=False)

    async def go_on_failing() -> None:
        while True:
            the_gate.failed(await through(the_gate), "a", reached=False)

    with pytest.raises(Unavailable):
        await go_on_failing()

    assert 100 <= clock.now - first.granted_at <= 103


async def test_a_retry_after_beyond_retry_for_ends_the_run_at_once():
    clock = FakeClock()
    the_gate = gate(clock, retry_for=100)

    with pytest.raises(Unavailable):
        the_gate.throttled(await through(the_gate), 86_400.0, away=False)


async def test_an_answer_ends_the_outage_and_its_clock():
    clock = FakeClock()
    the_gate = gate(clock, retry_for=100)
    for _ in range(50):
        the_gate.throttled(await through(the_gate), 60.0, away=True)
        the_gate.succeeded(await through(the_gate))

    assert the_gate.waiting is None
    assert clock.now > 1000


async def test_a_closed_gate_releases_waiters_without_a_permit():
    clock = FakeClock()
    the_gate = gate(clock)
    the_gate.throttled(await through(the_gate), None, away=True)
    probe = await through(the_gate)
    waiting = [asyncio.create_task(the_gate.acquire()) for _ in range(3)]
    await asyncio.sleep(0)
    the_gate.close()

    assert await asyncio.gather(*waiting) == [None, None, None]
    the_gate.release(probe)


async def test_what_a_run_learned_slows_the_next_one():
    clock = FakeClock()
    first = gate(clock)
    first.throttled(await through(first), None, away=False)
    second = gate(clock)
    second.restore([], first.learned)
    start = (await through(second)).granted_at
    for _ in range(9):
        await through(second)

    assert start >= 1.0  # the pause outlived the run too
    assert clock.now - start >= 9 * 0.102 / 0.8


async def test_a_clock_set_back_by_a_day_does_not_block_for_a_day():
    clock = FakeClock()
    the_gate = gate(clock)
    tomorrow = clock.wall() + 86_400
    the_gate.restore([tomorrow] * 10, LearnedRate(0.5, 0.7, tomorrow, tomorrow))
    permit = await through(the_gate)

    assert permit.granted_at <= 900


async def test_a_pause_that_an_earlier_run_was_asked_for_is_waited_out_by_what_is_left():
    clock = FakeClock()
    first = gate(clock)
    first.throttled(await through(first), 30.0, away=False)
    learned = first.learned
    clock.now += 12
    second = gate(clock)
    second.restore([], learned)

    assert (await through(second)).granted_at == pytest.approx(30, abs=0.5)


async def test_a_pause_of_a_service_that_was_away_is_kept_too():
    clock = FakeClock()
    first = gate(clock)
    first.throttled(await through(first), 30.0, away=True)
    second = gate(clock)
    second.restore([], first.learned)
    start = (await through(second)).granted_at
    assert start == pytest.approx(30, abs=0.5)
    assert (await through(second)).granted_at - start < 0.2  # and no rate was learned from it


async def test_a_pause_longer_than_is_waited_out_ends_the_next_run_until_it_is_over():
    clock = FakeClock()
    first = gate(clock)
    with pytest.raises(Unavailable):
        first.throttled(await through(first), 86_400.0, away=False)
    learned = first.learned
    assert learned is not None
    clock.now += 60
    second = gate(clock)
    second.restore([], learned)
    with pytest.raises(Unavailable, match="3540 s of that pause are left"):
        await second.acquire()
    clock.now += 3000  # an hour is all that is kept of a day
    third = gate(clock)
    third.restore([], learned)
    assert (await through(third)).granted_at == pytest.approx(3600, abs=0.5)


@pytest.mark.parametrize("back", [60.0, 86_400.0, 10 * 365 * 86_400.0])
async def test_a_clock_set_back_makes_no_pause_longer_than_it_was(back):
    clock = FakeClock()
    first = gate(clock)
    first.throttled(await through(first), 30.0, away=False)
    learned = first.learned
    clock.step_wall(-back)
    second = gate(clock)
    second.restore([], learned)

    assert (await through(second)).granted_at <= 31


class CountingClock(SystemClock):
    def __init__(self) -> None:
        self.waits = 0

    async def wait(self, event, seconds):
        self.waits += 1
        await super().wait(event, seconds)


@pytest.mark.parametrize("retry_for", [0.0, 0.001, 30 * 86_400.0])
async def test_whatever_an_outage_may_last_nothing_spins_while_it_waits_for_a_slot(retry_for):
    clock = CountingClock()
    the_gate = RateLimiter([Rate(5, 1.0)], 0.0, retry_for, clock)
    for _ in range(4):
        permit = await through(the_gate)
        the_gate.mark_sent(permit)
        the_gate.succeeded(permit)

    assert clock.waits <= 12


async def test_with_a_lower_true_limit_few_are_refused_and_most_of_it_is_used():
    clock = FakeClock()
    the_gate = gate(clock, retry_for=10_000)
    accepted: list[float] = []
    refused: list[float] = []
    while clock.now < 600:
        permit = await through(the_gate)
        if sum(t > clock.now - 1.0 for t in accepted[-10:]) >= 5:
            refused.append(clock.now)
            the_gate.throttled(permit, None, away=False)
        else:
            accepted.append(clock.now)
            the_gate.succeeded(permit)

    late = [t for t in refused if t > 10]
    assert len(late) / (len(accepted) + len(late)) <= 0.01
    assert len(accepted) / clock.now >= 0.85 * 5
