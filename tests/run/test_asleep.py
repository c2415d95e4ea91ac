"""A process that was stopped, as a machine that was suspended: answers that came meanwhile are read."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
import time

import pytest

from batchscan.copyleaks.requests import Request
from batchscan.emulator import Fault
from batchscan.emulator.fault_actions import AnswerInstead
from tests.support.clusters import cluster_of
from tests.support.processes import Process, reports, until
from tests.support.servers import transport


async def sleep_through(process, seconds: float) -> None:
    process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(seconds)
    if process.returncode is None:  # else it had ended just before it was to stop
        process.send_signal(signal.SIGCONT)


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, 3])
async def test_answers_that_came_while_the_process_was_stopped_are_not_paid_again(
    bench_with, times
):
    async with bench_with(latency=1.0) as bench:
        bench.pictures(20)
        config = bench.folder / "config.yaml"
        config.write_text("api: {read_timeout: 5s}\npace: {rate: 500/s}\n")
        process = await Process(bench).start("-c", str(config), "--progress", "none")
        await until(lambda: len(bench.checks()) >= 10)
        for _ in range(times):
            if process.returncode is not None:
                break  # all was answered before the next stop
            await sleep_through(process, 7)
            await asyncio.sleep(0.3)
        _, err = await process.communicate()

        assert process.returncode == 0, err
        [report] = reports(bench)
        assert report["files"]["scanned"] == 20
        assert report["credits"]["outcome_unknown"] == 0
        assert bench.charged() == len(bench.checks()) == 20


@pytest.mark.slow
@pytest.mark.timeout(60)
async def test_retry_for_is_not_used_up_by_sleep(bench):
    bench.pictures(3)
    bench.emulator.faults = (Fault(route="check", count=2, action=AnswerInstead(status=503)),)
    process = await Process(bench).start("--retry-for", "5s", "-j", "1", "--progress", "none")
    await until(bench.checks)
    await asyncio.sleep(0.2)
    await sleep_through(process, 6.5)
    out, err = await process.communicate()

    assert process.returncode == 0, out + err
    assert len(bench.checks()) == 5  # the service was still away when it woke


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_a_driver_that_slept_longer_than_its_workers_wait_loses_nothing(bench_with, tmp_path):
    async with bench_with(latency=1.0) as bench, cluster_of(tmp_path / "dask", 2) as cluster:
        bench.pictures(60)
        words = ("--dask", cluster.address, "--rate", "1000/s", "-j", "8", "--progress", "none")
        process = await Process(bench).start(*words)
        await until(lambda: len(bench.checks()) >= 12)
        await sleep_through(process, 20)
        out, err = await process.communicate()

        assert (process.returncode, err) == (0, b""), out
        [report] = reports(bench)
        assert report["files"]["scanned"] == 60
        assert report["cluster"]["lost"] == []
        assert report["credits"]["outcome_unknown"] == 0
        assert bench.charged() == len(bench.checks()) == 60


@pytest.mark.slow
async def test_a_connection_that_came_about_during_sleep_is_used():
    """The backlog is full, so that the connection comes about only when another one is accepted."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        first = socket.create_connection(full.getsockname())
        sent: list[bytes] = []

        def serve() -> None:
            time.sleep(0.3)
            full.accept()[0].close()
            with full.accept()[0] as connection:
                sent.append(connection.recv(65536))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

        url = f"http://127.0.0.1:{full.getsockname()[1]}/x"
        thread = threading.Thread(target=serve)
        thread.start()
        async with transport(connect_timeout=0.5, read_timeout=5.0) as connection:
            asked = asyncio.create_task(connection.send(Request("POST", url, "text/plain", b"x")))
            await asyncio.sleep(0.1)
            time.sleep(2.5)  # noqa: ASYNC251 - the loop stands still, as in a stopped process
            assert (await asked).body == b"{}"
        thread.join()
        assert len(sent) == 1
        first.close()
