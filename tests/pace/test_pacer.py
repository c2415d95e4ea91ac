from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.pace import Pacer
from batchscan.pace.pacer import HURRY, SLOW_ARRIVAL
from batchscan.settings import Rate

RATES = st.lists(
    st.builds(Rate, st.integers(1, 50), st.sampled_from([0.5, 1.0, 10.0, 60.0])),
    min_size=1,
    max_size=3,
)


def sends(schedule: Pacer, lateness: list[float], share: float = 1.0) -> list[float]:
    now, times = 0.0, []
    for late in lateness:
        now = max(now, schedule.next_at(share)) + late
        assert schedule.try_reserve(now, share)
        schedule.record_sent(now)
        times.append(now)
    return times


def most_in_a_window(times: list[float], period: float) -> int:
    return max(sum(start <= t < start + period for t in times) for start in times)


@given(RATES, st.lists(st.sampled_from([0.0, 0.0, 0.001, 0.05, 0.3, 5.0]), max_size=120))
def test_no_sliding_window_ever_holds_more_than_its_rate(rates, lateness):
    times = sends(Pacer(rates, 0.02), [0.0, *lateness])

    for rate in rates:
        assert most_in_a_window(times, rate.period) <= rate.requests


@given(
    RATES,
    st.lists(st.sampled_from([0.0, 0.02, 1.0]), max_size=60),
    st.lists(st.sampled_from([0.0, 0.02, 1.0]), max_size=60),
)
def test_windows_hold_across_runs(rates, before, after):
    schedule = Pacer(rates, 0.02)
    earlier = sends(schedule, [0.0, *before])
    successor = Pacer(rates, 0.02)
    successor.restore(earlier)
    now, times = earlier[-1], list(earlier)
    for late in after:
        now = max(now, successor.next_at()) + late
        assert successor.try_reserve(now)
        successor.record_sent(now)
        times.append(now)

    for rate in rates:
        assert most_in_a_window(times, rate.period) <= rate.requests


def test_requests_are_spaced_evenly_two_percent_wider_than_the_rate():
    times = sends(Pacer([Rate(10, 1.0)], 0.02), [0.0] * 30)

    gaps = {round(b - a, 9) for a, b in itertools.pairwise(times)}
    assert gaps == {0.102}


def test_the_first_of_many_requests_may_be_slow_to_arrive():
    times = sends(Pacer([Rate(100, 1.0)], 0.02), [0.0] * 600)

    assert times[100] - times[0] == pytest.approx(1.02 + SLOW_ARRIVAL)
    assert times[599] - times[0] <= 599 * 0.0102 + SLOW_ARRIVAL + 0.001


def test_a_stall_is_made_up_by_hurrying_not_by_a_burst():
    schedule = Pacer([Rate(100, 1.0)], 0.02)
    before = sends(schedule, [0.0] * 200)
    stall = [0.3, *[0.0] * 300]
    now, times = before[-1], []
    for late in stall:
        now = max(now, schedule.next_at()) + late
        assert schedule.try_reserve(now)
        schedule.record_sent(now)
        times.append(now)

    assert most_in_a_window(times, 0.05) <= 0.05 / (HURRY * 0.0102) + 2
    # Who leaves a window after the late ones must be late as well, the others need not.
    assert times[-10] - before[0] <= 490 * 0.0102 + 0.2


def test_ninety_seven_percent_of_the_rate_is_reached_though_every_slot_is_late():
    times = sends(Pacer([Rate(500, 1.0)], 0.02), [0.0015] * 5000)

    assert len(times) / times[-1] >= 0.97 * 500


def test_after_idling_no_burst_leaves():
    schedule = Pacer([Rate(10, 1.0)], 0.02)
    assert schedule.try_reserve(0.0)
    schedule.record_sent(0.0)
    assert schedule.try_reserve(100.0)
    schedule.record_sent(100.0)
    allowed = sum(schedule.try_reserve(100.0 + n / 1000) for n in range(1, 50))

    assert allowed <= 1


def test_a_pause_holds_everything_and_a_shorter_one_does_not_end_it():
    schedule = Pacer([Rate(10, 1.0)], 0.02)
    schedule.pause(30.0)
    schedule.pause(5.0)

    assert not schedule.try_reserve(29.9)
    assert schedule.try_reserve(30.0)


@given(st.floats(0.05, 1.0))
def test_a_learned_share_slows_the_whole_schedule(share):
    times = sends(Pacer([Rate(10, 1.0)], 0.02), [0.0] * 100, share)

    assert 99 / times[-1] <= 10 * share


def test_what_counts_is_when_a_request_leaves_not_when_it_was_let_go():
    schedule = Pacer([Rate(2, 1.0)], 0.0)
    assert schedule.try_reserve(0.0)
    assert schedule.try_reserve(0.5)
    assert schedule.next_at() == math.inf  # nobody knows yet how late these two are

    schedule.record_sent(0.8)
    schedule.record_sent(0.9)
    assert schedule.next_at() == pytest.approx(1.8)


def test_a_slot_that_nobody_used_is_free_again():
    schedule = Pacer([Rate(1, 1.0)], 0.0)
    assert schedule.try_reserve(0.0)
    schedule.cancel()

    assert schedule.next_at() == pytest.approx(1.0)  # spacing holds all the same


def test_a_slot_is_given_back_with_its_time_unless_a_later_one_was_reserved():
    schedule = Pacer([Rate(1, 3600.0)], 0.0)
    assert schedule.try_reserve(0.0)
    schedule.give_back(schedule.reservations)
    assert schedule.try_reserve(4.0)  # after the login
    schedule.record_sent(4.0)
    assert schedule.next_at() == pytest.approx(3604.0)

    schedule = Pacer([Rate(2, 1.0)], 0.0)
    assert schedule.try_reserve(0.0)
    first = schedule.reservations
    assert schedule.try_reserve(0.5)
    schedule.give_back(first)
    schedule.record_sent(0.5)
    assert schedule.next_at() == pytest.approx(1.0)
