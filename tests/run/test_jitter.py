"""Waiting before a run begins, so that jobs of many machines do not begin together."""

from __future__ import annotations

import logging
import signal

from tests.support.clocks import SkippingClock
from tests.support.processes import Process, until


class NotingClock(SkippingClock):
    """Notes the waits that were asked for, and lets them pass at once."""

    def __init__(self, folder) -> None:
        super().__init__()
        self.waits: list[tuple[float, bool]] = []  # seconds, and whether the state was held
        self._folder = folder

    async def wait(self, event, seconds: float) -> None:
        self.waits.append((seconds, (self._folder / "state").exists()))
        self.skip(seconds)


async def test_a_run_waits_a_random_time_before_it_holds_anything_and_says_so(bench, caplog):
    caplog.set_level(logging.INFO, "batchscan")
    bench.pictures(1)
    clock = NotingClock(bench.folder)
    ran = await bench.scan(clock, scan={"jitter": 3600.0})

    (seconds, held), *_ = clock.waits
    assert 0 < seconds < 3600
    assert not held
    assert f"waiting {seconds:.1f} s before the start" in caplog.text
    assert ran.exit_code == 0


async def test_a_dry_run_does_not_wait(bench):
    bench.pictures(1)
    clock = NotingClock(bench.folder)
    await bench.scan(clock, scan={"jitter": 3600.0}, dry_run=True)

    assert clock.waits == []


async def test_a_signal_ends_the_wait_and_nothing_has_begun(bench):
    bench.pictures(1)
    log = bench.folder / "log"
    process = await Process(bench).start("--jitter", "7d", "--log-file", str(log))
    await until(lambda: log.exists() and "before the start" in log.read_text())
    process.send_signal(signal.SIGTERM)
    out, err = await process.communicate()

    assert (process.returncode, out) == (143, b"")
    assert b"stopped by SIGTERM" in err
    assert b"paid" not in err
    assert not (bench.folder / "state").exists()
    assert not (bench.folder / "output").exists()
    assert len(bench.emulator.journal) == 0
