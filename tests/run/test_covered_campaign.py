"""Versions of pictures through kills, edits and faults: nothing is covered without an answer.

`BATCHSCAN_CAMPAIGN=100` makes it so many runs long; `BATCHSCAN_SEED=7` another one.
"""

from __future__ import annotations

import pytest

from tests.support.campaigns import RUNS
from tests.support.covered_campaigns import CoveredCampaign

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120 + 60 * RUNS)]


@pytest.mark.parametrize("duplicate", ["replay", "conflict"])
async def test_what_is_covered_names_an_answer_that_is_there(bench_with, duplicate):
    async with bench_with(duplicate=duplicate, latency=0.03) as bench:
        await CoveredCampaign(bench).run(3 * RUNS)
