"""What a killed run had learned of the service's pace, as real processes keep it."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from batchscan.emulator.fault_actions import AnswerInstead
from batchscan.emulator.faults import Fault
from batchscan.errors import StorageError
from batchscan.ledger import Ledger, Realm
from tests.support.processes import Process, until

PAUSE = 6


def refusing(status: int, pause: int = PAUSE) -> tuple[Fault, ...]:
    action = AnswerInstead(status=status, headers={"Retry-After": str(pause)})
    return (Fault(route="check", nth=3, action=action),)


def refused(bench, status: int) -> bool:
    return any(entry.status == status for entry in bench.checks())


@pytest.mark.slow
@pytest.mark.parametrize("status", [429, 503])
async def test_a_killed_run_leaves_what_it_learned_of_the_pace(bench_with, status):
    async with bench_with(faults=refusing(status)) as bench:
        bench.pictures(12)
        process = await Process(bench).start("-j", "2")
        await until(lambda: refused(bench, status))
        at, asked = time.monotonic(), len(bench.checks())
        await until(lambda: kept(bench))
        assert process.returncode is None  # it is kept at once, not at the end
        assert len(bench.checks()) <= asked + 1  # one was under way
        process.send_signal(signal.SIGKILL)
        await process.communicate()
        asked = len(bench.checks())
        code, _, err = await Process(bench).run("-j", "2")

        assert code == 0, err
        assert len(bench.checks()) > asked
        assert time.monotonic() - at >= PAUSE - 0.5
        if status == 429:
            assert kept(bench).fraction < 1


async def test_a_pause_longer_than_retry_for_is_kept_over_a_kill(bench_with):
    async with bench_with(faults=refusing(429, 60)) as bench:
        bench.pictures(12)
        process = await Process(bench).start("-j", "1")
        await until(lambda: kept(bench))
        process.send_signal(signal.SIGKILL)
        await process.communicate()
        asked = len(bench.checks())
        code, _, err = await Process(bench).run("--retry-for", "1s")

        assert code == 8
        assert "asked an earlier run to pause" in err
        assert len(bench.checks()) == asked


@pytest.mark.slow
async def test_with_retry_for_zero_a_run_waits_without_using_the_processor(bench):
    """It waits for slots of half a second, and does not use them up with looking."""
    bench.pictures(6)
    process = await Process(bench).start("--retry-for", "0s", "--rate", "2/s")
    await until(lambda: len(bench.checks()) > 1)
    before = seconds_of_cpu(process.pid)
    await until(lambda: len(bench.checks()) > 4)
    used = seconds_of_cpu(process.pid) - before
    await process.communicate()

    assert process.returncode == 0
    assert used < 0.6  # of one and a half


def kept(bench):
    try:
        ledger = Ledger.read(bench.folder / "state", Realm(bench.emulator.url, sandbox=False))
    except StorageError:  # it is being made
        return None
    try:
        return ledger.rate_limits.learned()
    finally:
        ledger.close()


def seconds_of_cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
