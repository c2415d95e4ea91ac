from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from batchscan.emulator.account import Windows
from batchscan.settings.units import Rate
from tests.support.emulator_client import Clock

RATES = st.lists(
    st.builds(Rate, st.integers(1, 5), st.sampled_from([0.5, 1.0, 10.0])), min_size=1, max_size=3
)


@given(RATES, st.lists(st.sampled_from([0.0, 0.125, 0.5, 1.0, 7.0]), max_size=60))
def test_no_window_ever_holds_more_than_its_rate_nor_refuses_below_it(rates, steps):
    clock = Clock(0.0)
    windows = Windows(rates, clock)
    taken: list[float] = []
    for step in steps:
        clock.now += step
        full = any(
            sum(at > clock.now - rate.period for at in taken) >= rate.requests for rate in rates
        )
        wait = windows.take()
        assert (wait is not None) == full
        if wait is None:
            taken.append(clock.now)


@given(RATES, st.integers(1, 20))
def test_the_shown_wait_is_sufficient_and_not_too_long(rates, requests):
    clock = Clock(0.0)
    windows = Windows(rates, clock)
    for _ in range(requests):
        wait = windows.take()
        if wait is not None:
            clock.now += wait - 0.01
            assert windows.take() is not None
            clock.now += 0.01 + 1e-9
            assert windows.take() is None


def test_a_rate_of_zero_grants_no_permits():
    assert Windows([Rate(0, 5.0)], Clock()).take() == 5.0
