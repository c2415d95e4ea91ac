"""Whole scans in this process, against the emulator as a server on loopback."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from batchscan.emulator import Emulator, EmulatorConfig
from tests.support.bench import FAST, Bench
from tests.support.changing_web import Web
from tests.support.clocks import SkippingClock


@pytest.fixture
def bench_with(tmp_path):
    @asynccontextmanager
    async def opened(**config):
        config.setdefault("search", False)
        config.setdefault("rates", FAST)
        clock = SkippingClock()  # the emulator and the scans live by one
        config = {"clock": clock.monotonic, "wall_clock": clock.wall, **config}
        async with Emulator(EmulatorConfig(**config)) as emulator:
            bench = Bench(tmp_path, emulator, clock)
            bench.images.mkdir(exist_ok=True)
            yield bench
            bench.assert_sound()

    return opened


@pytest.fixture
async def bench(bench_with):
    async with bench_with() as opened:
        yield opened


@pytest.fixture
def web(tmp_path):
    return Web(tmp_path)
