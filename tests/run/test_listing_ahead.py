"""The listing runs ahead of the uploads: how much there is to do is known long before it is done."""

from __future__ import annotations

import asyncio
import signal

import pytest

from batchscan import Pace, Rate, Scan
from batchscan.pipeline import candidate_queue, listing

SLOW = Pace(rate=(Rate(1, 1.0),), concurrency=1)


@pytest.fixture
def narrow(monkeypatch):
    """Blocks and memory that hold but a few files, so that most are in the file."""
    monkeypatch.setattr(listing, "BATCH_FILES", 10)
    monkeypatch.setattr(candidate_queue, "IN_MEMORY", 10)


async def test_the_total_is_known_when_the_listing_has_ended(bench, narrow):
    for number in range(6):
        folder = bench.images / f"{number}"
        folder.mkdir()
    bench.pictures(30)
    for number, path in enumerate(sorted(bench.images.glob("*.png"))):
        path.rename(bench.images / f"{number % 6}" / path.name)
    async with Scan(bench.settings(pace=SLOW), bench.clock) as run:
        async with asyncio.timeout(90):
            while not run.progress().walk_ended:  # noqa: ASYNC110 - as who watches does
                await asyncio.sleep(0.01)
        state = run.progress()
        run.request_stop(signal.SIGINT)
        outcomes = [each async for each in run]

    assert state.found == 30
    assert state.done < 5
    assert run.report.files.seen == len(outcomes) == 30
    assert run.report.reasons["interrupted"] == run.report.files.deferred > 20
    assert run.progress().done == 30 - run.report.files.deferred


async def test_all_are_asked_about_once_whatever_waited_in_the_file(bench, narrow):
    bench.pictures(60)
    ran = await bench.scan()

    assert ran.report.files.scanned == len(bench.checks()) == 60


async def test_files_that_are_too_young_are_judged_when_they_are_found(bench, narrow):
    bench.pictures(12)
    ran = await bench.scan(scan={"min_age": 3600.0})

    assert ran.report.reasons == {"too_young": 12}
    assert bench.checks() == []
