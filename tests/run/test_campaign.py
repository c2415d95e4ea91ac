"""Killed again and again over trees that change, into faults: nothing lost, nothing paid twice.

`BATCHSCAN_CAMPAIGN=100` makes each campaign so many runs long; `BATCHSCAN_SEED=7` another one.
"""

from __future__ import annotations

import itertools
import os

import pytest

from tests.support.campaigns import RUNS, Campaign, Folder
from tests.support.clusters import cluster_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120 + 60 * RUNS)]
EACH, COVER = (), ("--renditions", "cover")
EVERY = tuple(itertools.product(("replay", "conflict", "rescan"), (EACH, COVER)))
SOME = (("replay", EACH), ("conflict", COVER), ("rescan", EACH))


@pytest.mark.parametrize(
    ("duplicate", "words"), EVERY if "BATCHSCAN_CAMPAIGN" in os.environ else SOME
)
async def test_on_this_machine(bench_with, duplicate, words):
    async with bench_with(duplicate=duplicate, latency=0.05) as bench:
        await Campaign(bench, Folder(bench.images), words).run()


async def test_on_a_cluster(bench_with, tmp_path):
    async with (
        bench_with(duplicate="rescan", latency=0.05) as bench,
        cluster_of(tmp_path / "dask", 2) as cluster,
    ):
        await Campaign(bench, Folder(bench.images), ("--dask", cluster.address)).run()
