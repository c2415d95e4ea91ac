"""Clusters that cannot be used: said before anything is sent."""

from __future__ import annotations

import asyncio
import sys

import pytest

from batchscan.engines.cluster import pool
from batchscan.errors import UsageError
from batchscan.settings import Engine
from tests.support.clusters import Cluster, cluster_of
from tests.support.processes import Process


async def test_a_missing_dask_is_reported_with_how_to_install_it(bench, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("batchscan.engines.cluster.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.setitem(sys.modules, "dask", None)
    bench.pictures(1)
    with pytest.raises(UsageError, match="needs Dask, which is not installed") as refused:
        await bench.scan(engine=Engine(dask="tcp://127.0.0.1:9"))

    assert "'distributed>=" in str(refused.value.advice)


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_an_address_without_a_scheduler_is_refused(bench, tmp_path):
    bench.pictures(1)
    nobody = Cluster(tmp_path).address
    code, _, err = await Process(bench).run("--dask", nobody)

    assert code == 2, err
    assert f"there is no Dask scheduler at {nobody}" in err
    assert not bench.emulator.journal.of("login")


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_a_cluster_without_workers_is_refused_after_a_while(bench, tmp_path):
    bench.pictures(1)
    async with cluster_of(tmp_path / "dask", 0) as cluster:
        code, _, err = await Process(bench).run("--dask", cluster.address)

    assert code == 2, err
    assert f"the Dask cluster at {cluster.address} has no workers" in err
    assert not bench.emulator.journal.of("login")


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_a_worker_with_another_batchscan_is_refused(bench, tmp_path):
    bench.pictures(1)
    # The worker's own: a batchscan that tells another version.
    async with cluster_of(tmp_path / "dask", 0) as cluster:
        preload = tmp_path / "older.py"
        preload.write_text(
            "from batchscan import version as about\nabout.version = lambda: '0.0.1'\n"
        )
        await cluster.start_worker(more=("--preload", str(preload)))
        code, _, err = await Process(bench).run("--dask", cluster.address)

    assert code == 2, err
    assert "it has batchscan 0.0.1, and this is " in err
    assert not bench.emulator.journal.of("login")


def test_what_a_worker_is_sent_holds_no_account(bench):
    terms = pool._terms(bench.settings())

    assert (terms.account.api_key, terms.account.email, terms.roots) == (None, None, ())
    assert pool.FIRST_WORKER_TIMEOUT == 30


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_the_processes_of_a_local_cluster_do_not_have_the_key(bench, tmp_path):
    program = tmp_path / "local.py"
    program.write_text(LOOK)
    process = Process(bench)
    process.environment["COPYLEAKS_API_KEY"] = "key-of-the-account"
    out = await asyncio.create_subprocess_exec(
        sys.executable, str(program), env=process.environment, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await out.communicate()

    seen, restored = said.decode().splitlines()
    assert int(seen) >= 1
    assert restored == "key-of-the-account"


LOOK = """
import asyncio, os, psutil
from batchscan.engines.cluster.dask_client import DaskClient

async def main():
    dask = DaskClient("local", 10)
    await dask.open()
    children = psutil.Process().children(recursive=True)
    assert not any("key-of-the-account" in str(child.environ()) for child in children)
    print(len(await dask.workers()))
    await dask.aclose()
    print(os.environ["COPYLEAKS_API_KEY"])

if __name__ == "__main__":
    asyncio.run(main())
"""
