"""Scans on a Dask cluster of real processes: what is promised on one machine holds on many."""

from __future__ import annotations

import asyncio
import signal

import pytest

from tests.run.clusters import checks_beyond, cluster_of
from tests.run.processes import Process, assert_nothing_lost_or_doubled, reports

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
QUICK = ("--rate", "1000/s", "-j", "16")


async def test_a_scan_on_a_cluster_answers_every_picture_once(bench, tmp_path):
    bench.pictures(40)
    async with cluster_of(tmp_path / "dask", 2) as cluster:
        code, out, err = await Process(bench).run("--dask", cluster.address, *QUICK)

    assert (code, err) == (0, "")
    assert "Cluster: 2 workers on 1 host." in out
    assert_nothing_lost_or_doubled(bench, 40, replayed=False)
    assert reports(bench)[0]["cluster"] == {"workers": 2, "hosts": 1, "lost": []}


@pytest.mark.parametrize("duplicate", ["replay", "rescan"])
async def test_what_a_killed_worker_was_sending_is_asked_again(bench_with, tmp_path, duplicate):
    async with (
        bench_with(latency=0.4, duplicate=duplicate) as bench,
        cluster_of(tmp_path / "dask", 2) as cluster,
    ):
        bench.pictures(120)
        scan = asyncio.create_task(Process(bench).run("--dask", cluster.address, *QUICK))
        await checks_beyond(bench, 30)
        await cluster.end(0, signal.SIGKILL)
        code, out, _ = await scan

        assert code == 0, out
        assert_nothing_lost_or_doubled(bench, 120, replayed=duplicate == "replay")
        report = reports(bench)[0]
        assert report["cluster"]["workers"] == 2
        assert len(report["cluster"]["lost"]) == 1
        assert "1 worker was lost: tcp://127.0.0.1:" in out
        assert 0 < report["credits"]["outcome_unknown"] <= 16
