"""A bucket scanned on a cluster: the bytes go from the store to the worker to the service."""

from __future__ import annotations

import os
import signal

import pytest

from tests.support.clusters import cluster_of
from tests.support.pictures import jpeg
from tests.support.processes import Process, assert_nothing_lost_or_doubled, reports

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
QUICK = ("--rate", "1000/s", "-j", "8", "-q")
COUNT = 24


class OfBucket(Process):
    """Runs with the store's own credentials in the environment, and the bucket as PATH."""

    def __init__(self, bench, bucket) -> None:
        super().__init__(bench)
        self.url = bucket.url
        self.environment |= {n: v for n, v in os.environ.items() if n.startswith("AWS_")}

    async def scan(self, *words: str) -> tuple[int, str, str]:
        (self.bench.folder / "images").mkdir(exist_ok=True)
        return await self.run(*words, self.url)


@pytest.fixture
async def filled(bench, bucket):
    for number in range(COUNT):
        bucket.write(f"2026/{number % 3}/p{number:02}.jpg", jpeg(64, 48, number))
    bucket.asked.forget()
    return bucket


async def test_a_bucket_is_read_by_the_workers_once_and_not_again_while_it_is_unchanged(
    bench, filled, tmp_path
):
    async with cluster_of(tmp_path / "dask", 2) as cluster:
        code, _, err = await OfBucket(bench, filled).scan("--dask", cluster.address, *QUICK)
        assert (code, err) == (0, "")
        reads = len(filled.asked.reads)
        code, _, err = await OfBucket(bench, filled).scan("--dask", cluster.address, *QUICK)
        assert (code, err) == (0, "")

    assert reads == len(filled.asked.reads) == COUNT
    assert_nothing_lost_or_doubled(bench, COUNT, replayed=False)
    first, second = reports(bench)
    assert (first["files"]["scanned"], second["files"]["unchanged"]) == (COUNT, COUNT)
    assert first["cluster"]["workers"] == 2


async def test_what_a_killed_worker_had_read_is_read_again_elsewhere(bench, filled, tmp_path):
    async with cluster_of(tmp_path / "dask", 2) as cluster:
        filled.asked.before["p12.jpg"] = lambda: cluster.workers[0].send_signal(signal.SIGKILL)
        code, _, _ = await OfBucket(bench, filled).scan("--dask", cluster.address, *QUICK)

    assert code == 0
    assert_nothing_lost_or_doubled(bench, COUNT, replayed=True)
    assert len(reports(bench)[0]["cluster"]["lost"]) == 1
