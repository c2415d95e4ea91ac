"""The time of the tests' event loop: it skips what is only waited for, and nothing else."""

from __future__ import annotations

import asyncio
import re
import sys
import threading
import time
from pathlib import Path

import batchscan
from tests.support.clocks import SkippingClock
from tests.support.servers import scripted, whole_request

PACKAGE = Path(batchscan.__file__).parent


async def test_a_day_passes_at_once_and_timers_fire_in_their_order():
    clock, began, fired = SkippingClock(), time.monotonic(), []

    async def wait(seconds: float) -> None:
        await clock.wait(asyncio.Event(), seconds)
        fired.append(seconds)

    at, wall = clock.monotonic(), clock.wall()
    await asyncio.gather(*(wait(seconds) for seconds in (86_400.0, 60.0, 3600.0)))

    assert fired == [60.0, 3600.0, 86_400.0]
    assert 86_399.9 <= clock.monotonic() - at < 86_401
    assert clock.wall() - wall >= 86_400
    assert time.monotonic() - began < 3600


async def test_no_time_passes_while_a_thread_works():
    clock, done = SkippingClock(), threading.Event()
    work = asyncio.create_task(asyncio.to_thread(done.wait))
    timer = asyncio.create_task(clock.wait(asyncio.Event(), 0.001))
    await asyncio.sleep(0)
    at = clock.monotonic()
    asyncio.get_running_loop().call_soon(threading.Timer(0.2, done.set).start)
    await work

    assert not timer.done()
    assert clock.monotonic() == at
    await timer


async def test_an_answer_of_a_server_on_the_loop_comes_before_any_timeout():
    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await whole_request(reader)
        await asyncio.sleep(50.0)
        writer.write(b"x" * 3_000_000)  # more than sockets hold
        writer.close()

    clock = SkippingClock()
    async with scripted(late) as url, asyncio.timeout(60.0):
        at = clock.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        answer = await reader.read()
        writer.close()

    assert len(answer) == 3_000_000
    assert 49.9 <= clock.monotonic() - at < 51.0


async def test_time_passes_as_on_the_machine_while_a_process_runs():
    clock = SkippingClock()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE
    )
    at, began = clock.monotonic(), time.monotonic()
    await asyncio.sleep(0.2)
    assert time.monotonic() - began >= 0.19
    assert clock.monotonic() - at <= time.monotonic() - began + 0.05
    await process.communicate(b"\n")
    began = time.monotonic()
    await asyncio.sleep(3600.0)

    assert time.monotonic() - began < 3600


# What hands results to an event loop from a thread of its own. `skipping` has to count the jobs of
# those that take part in a scan, or time would go on while they work.
HANDING_OVER = {
    "engines/inspector.py": "counted",
    "ledger/thread.py": "counted",
    "alerts/apprise.py": "no scan of these tests notifies by Apprise",
    "emulator/threaded.py": "ends an emulator that has a loop of its own",
    "util/system.py": "signals on Windows",
}


def test_whatever_works_in_a_thread_of_its_own_is_counted():
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if re.search(r"call_soon_threadsafe|run_coroutine_threadsafe|wrap_future", path.read_text())
    }

    assert found == HANDING_OVER.keys()
