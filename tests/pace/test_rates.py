"""What the gate promises of rates, against a service with strict windows, on faked time."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from batchscan.emulator.account import Windows
from batchscan.settings import Rate
from tests.support.paced_service import Run

HEADROOM = 0.02
MARGIN = 0.9  # of the headroom: what jitter on the way may take of it


RATES = st.lists(
    st.builds(Rate, st.integers(1, 60), st.sampled_from([0.5, 1.0, 7.0, 60.0])),
    min_size=1,
    max_size=3,
)
LATENCIES = st.sampled_from([0.0, 0.05, 1.0, 6.0])
SETUPS = st.sampled_from([0.0, 0.004, 0.05, 0.4])


def slowest(rates: list[Rate]) -> float:
    return min(rate.requests / rate.period for rate in rates)


@given(RATES, st.floats(0.005, 0.1), st.floats(0, 1), LATENCIES, SETUPS, st.integers(0, 999))
def test_a_service_never_refuses_while_the_configured_rate_is_right(
    rates, headroom, jitter, latency, setup, seed
):
    way = MARGIN * jitter * headroom * min(rate.period for rate in rates)
    run = Run(rates, rates, headroom, setup, way, latency, seed).go(1e6, requests=300)

    assert run.refused == []
    assert len(run.accepted) > 200  # the last ones may still be on their way


@given(
    st.sampled_from([Rate(5, 1.0), Rate(10, 1.0), Rate(50, 1.0), Rate(200, 1.0), Rate(90, 60.0)]),
    LATENCIES,
    st.sampled_from([0.0, 0.002, 0.005]),
    st.integers(0, 999),
)
@settings(max_examples=25)
def test_at_least_97_percent_of_the_allowed_rate_is_used(rate, latency, setup, seed):
    seconds = 30 * rate.period
    run = Run([rate], [rate], HEADROOM, setup, 0.005, latency, seed).go(seconds)

    assert run.refused == []
    assert run.rate >= 0.97 * rate.requests / rate.period


def test_two_windows_hold_at_once_for_hours():
    rates = [Rate(10, 1.0), Rate(900, 900.0)]
    run = Run(rates, rates, HEADROOM, setup=0.05, way=0.015, latency=6.0).go(4 * 3600.0)

    assert run.refused == []
    assert run.rate >= 0.97 * slowest(rates)


def test_two_windows_hold_after_an_hour_of_idling_as_well():
    rates = [Rate(10, 1.0), Rate(900, 900.0)]
    run = Run(rates, rates, HEADROOM, way=0.015, latency=1.0).go(600.0)
    run.clock.now += 3600.0
    run.go(run.clock.now + 3600.0)

    assert run.refused == []


@pytest.mark.slow
@given(
    st.sampled_from([10, 20, 50]),
    st.floats(0.1, 1.0),
    LATENCIES,
    st.sampled_from([0.0, 0.005, 0.05]),
    st.integers(0, 999),
)
@settings(max_examples=25)
@example(told=10, share=0.1, latency=6.0, setup=0.05, seed=0)
@example(told=10, share=0.6, latency=0.05, setup=0.0, seed=0)
@example(told=50, share=0.98, latency=6.0, setup=0.05, seed=0)
def test_a_lower_limit_is_found_within_ten_seconds_and_nearly_all_of_it_used(
    told, share, latency, setup, seed
):
    true = Rate(max(1, round(told * share)), 1.0)
    run = Run([Rate(told, 1.0)], [true], HEADROOM, setup, 0.01, latency, seed).go(240.0)

    assert run.refused_after(10.0) <= 0.01
    assert run.rate >= 0.85 * true.requests


def test_a_limit_that_was_raised_is_used_within_half_an_hour():
    run = Run([Rate(10, 1.0)], [Rate(2, 1.0)]).go(120.0)
    run.windows = Windows([Rate(10, 1.0)], run.clock.monotonic)
    run.go(1_800.0)
    last = [at for at in run.accepted if at > 1_740.0]

    assert len(last) / 60 >= 0.97 * 10


def test_a_storm_of_refusals_lowers_the_rate_once():
    run = Run([Rate(10, 1.0)], [Rate(10, 1.0)]).go(60.0)
    usual, run.windows = run.windows, Full([], run.clock.monotonic)
    storm = run.clock.wall()
    run.go(run.clock.now + 300.0)
    learned = run.gate.learned
    assert learned is not None
    assert learned.learned_at < storm + 1.0
    assert learned.fraction > 0.7

    run.windows = usual
    begun = run.clock.now
    run.go(begun + 300.0)
    assert sum(at > begun + 180 for at in run.accepted) / 120 >= 0.9 * 10


class Full(Windows):
    """Windows with no place."""

    def take(self) -> float:
        return 1.0
