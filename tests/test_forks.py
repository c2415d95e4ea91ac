"""Forks of a process that has loaded `batchscan` are what its new processes are."""

from __future__ import annotations

import os
import re
import signal
from contextlib import suppress

import pytest

from batchscan.emulator import Fault
from batchscan.emulator.fault_actions import Hang
from tests.support.bench import open_bench
from tests.support.clocks import SkippingClock
from tests.support.forks import Fork, forkable
from tests.support.processes import Process, coverage_of_this_process, reports, until

pytestmark = pytest.mark.skipif(
    bool(coverage_of_this_process()) or not forkable({}), reason="nothing is forked here"
)


@pytest.fixture
async def hanging(tmp_path):
    """A scan that waits for an answer, in a fork."""
    faults = (Fault(route="check", action=Hang()),)
    async with open_bench(tmp_path, SkippingClock(), faults=faults) as bench:
        bench.pictures(1)
        process = await Process(bench).start()
        await until(bench.charged)
        yield process
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


def links(pid: int) -> set[str]:
    """The pipes and sockets that a process has open."""
    folder = f"/proc/{pid}/fd"
    found = {os.readlink(f"{folder}/{number}") for number in os.listdir(folder)}
    return {link for link in found if link.startswith(("pipe:", "socket:"))}


def parent(pid: int) -> int:
    with open(f"/proc/{pid}/status") as status:
        return int(re.findall(r"^PPid:\s(\d+)$", status.read(), re.MULTILINE)[0])


@pytest.mark.parametrize(
    "words",
    [
        ("--json", "-n"),
        ("--rate", "often"),
        pytest.param(("-n",), marks=pytest.mark.slow),
        pytest.param(("-j", ""), marks=pytest.mark.slow),
        pytest.param(("--fail-on", "new", "-q"), marks=pytest.mark.slow),
    ],
)
async def test_it_says_the_same_and_ends_with_the_same_code(tmp_path, words):
    async with open_bench(tmp_path, SkippingClock()) as bench:
        bench.pictures(2)
        said = [await Process(bench, forks=forks).run(*words) for forks in (True, False, True)]

    assert {code for code, *_ in said} == {said[1][0]}
    assert {err for *_, err in said} == {said[1][2]}
    assert len({len(out.splitlines()) for _, out, _ in said}) == 1


async def test_a_signal_reaches_it_and_it_ends_by_it(hanging):
    assert isinstance(hanging, Fork)
    hanging.kill()
    assert await hanging.wait() == -signal.SIGKILL
    with pytest.raises(ProcessLookupError):
        hanging.send_signal(signal.SIGTERM)


async def test_two_signals_stop_it_as_they_stop_a_new_process(hanging):
    hanging.send_signal(signal.SIGINT)
    assert b"once more stops at once" in await hanging.stderr.readline()
    hanging.send_signal(signal.SIGINT)
    _, err = await hanging.communicate()
    assert (hanging.returncode, b"Traceback" in err) == (130, False)


async def test_it_has_nothing_open_that_its_parent_has(hanging):
    server = parent(hanging.pid)
    assert parent(server) == os.getpid()
    assert links(server)
    assert links(hanging.pid).isdisjoint(links(server))


async def test_its_environment_is_the_one_it_is_given(tmp_path):
    async with open_bench(tmp_path, SkippingClock()) as bench:
        bench.pictures(1)
        process = Process(bench)
        del process.environment["COPYLEAKS_API_KEY"]
        refused, _, err = await process.run("-q")
        accepted, *_ = await Process(bench).run("-q")

        assert (refused, "COPYLEAKS_API_KEY" in err) == (2, True)
        assert accepted == 0
        assert reports(bench)[-1]["files"]["scanned"] == 1


def test_what_is_measured_or_read_at_the_start_is_no_fork():
    assert forkable({"PATH": "/usr/bin:/bin", "COPYLEAKS_API_KEY": "x"})
    assert not forkable({"COVERAGE_PROCESS_CONFIG": "x"})
    assert not forkable({"PATH": "/usr/bin:/bin", "PYTHONUTF8": "1"})
    assert not forkable({"LC_ALL": "C"})
