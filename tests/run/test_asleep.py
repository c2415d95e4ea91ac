"""A process that was stopped, as a machine that was suspended: answers that came meanwhile are read."""

from __future__ import annotations

import asyncio
import signal

import pytest

from tests.support.processes import Process, reports, until


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, 3])
async def test_answers_that_came_while_the_process_was_stopped_are_not_paid_again(
    bench_with, times
):
    async with bench_with(latency=1.0) as bench:
        bench.pictures(20)
        config = bench.folder / "config.yaml"
        config.write_text("api: {read_timeout: 1500ms}\npace: {rate: 500/s}\n")
        process = await Process(bench).start("-c", str(config), "--progress", "none")
        await until(lambda: len(bench.checks()) >= 10)
        for _ in range(times):
            if process.returncode is not None:
                break  # all was answered before the next stop
            process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(2.5)
            process.send_signal(signal.SIGCONT)
            await asyncio.sleep(0.3)
        _, err = await process.communicate()

        assert process.returncode == 0, err
        [report] = reports(bench)
        assert report["files"]["scanned"] == 20
        assert report["credits"]["outcome_unknown"] == 0
        assert bench.charged() == len(bench.checks()) == 20
