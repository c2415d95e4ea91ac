from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.pipeline.request_stats import LatencyHistogram


@given(st.lists(st.floats(0.2, 100_000), min_size=1, max_size=200))
def test_quantiles_are_right_within_five_percent(samples):
    latencies = LatencyHistogram()
    for sample in samples:
        latencies.add(sample)
    ordered = sorted(samples)

    for share, exact in ((0.5, ordered[(len(ordered) - 1) // 2]), (1.0, ordered[-1])):
        assert latencies.quantile(share) == pytest.approx(exact, rel=0.05)


def test_without_samples_there_is_no_quantile():
    assert LatencyHistogram().quantile(0.5) is None
