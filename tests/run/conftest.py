"""Whole scans in this process, against the emulator as a server on loopback."""

from __future__ import annotations

import pytest

from tests.support.bench import open_bench
from tests.support.changing_web import Web
from tests.support.clocks import SkippingClock


@pytest.fixture
def bench_with(tmp_path):
    return lambda **config: open_bench(tmp_path, SkippingClock(), **config)


@pytest.fixture
async def bench(bench_with):
    async with bench_with() as opened:
        yield opened


@pytest.fixture
def web(tmp_path):
    return Web(tmp_path)
