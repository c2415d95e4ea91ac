"""`pace.per_host` where this machine is the only host."""

from __future__ import annotations

from batchscan import Rate


async def test_this_machine_is_one_host(bench):
    bench.pictures(16)
    await bench.scan(pace={"per_host": (Rate(8, 60.0),)})
    times = [entry.at for entry in bench.checks()]

    assert len(times) == 16
    assert all(later - earlier >= 59.9 for earlier, later in zip(times, times[8:], strict=False))


async def test_an_account_s_rate_holds_beside_it(bench):
    bench.pictures(12)
    pace = {"rate": (Rate(10, 60.0),), "per_host": (Rate(1000, 1.0),)}
    ran = await bench.scan(pace=pace)
    times = [entry.at for entry in bench.checks()]

    assert times[10] - times[0] >= 59.9
    assert ran.report.api.rate_limited == 0
