from __future__ import annotations

import asyncio
import threading
import time

import pytest

from batchscan.engines.inspector import ThreadPool


@pytest.fixture
def crew():
    made = ThreadPool(2, "crew")
    yield made
    made.close()


async def test_every_job_is_done_once_and_its_asker_gets_its_result(crew):
    done: list[int] = []

    def job(number: int) -> int:
        done.append(number)
        return number * 2

    results = await asyncio.gather(*(crew.run(lambda n=number: job(n)) for number in range(2_000)))

    assert results == [number * 2 for number in range(2_000)]
    assert sorted(done) == list(range(2_000))


async def test_what_a_job_raises_reaches_the_one_that_asked_and_no_other(crew):
    def wrong() -> int:
        raise ValueError("this one")

    good = asyncio.create_task(crew.run(lambda: 1))

    with pytest.raises(ValueError, match="this one"):
        await crew.run(wrong)
    assert await good == 1
    assert await crew.run(lambda: 2) == 2


async def test_as_many_jobs_are_done_at_once_as_there_are_threads(crew):
    together = threading.Barrier(2)
    await asyncio.wait_for(
        asyncio.gather(*(crew.run(lambda: together.wait(10)) for _ in range(2))), 20
    )


async def test_a_job_whose_asker_has_gone_disturbs_nobody(crew):
    going = threading.Event()
    submitter = asyncio.create_task(crew.run(lambda: going.wait(10) and 1))
    await asyncio.sleep(0.01)
    submitter.cancel()
    going.set()

    assert await crew.run(lambda: 3) == 3
    with pytest.raises(asyncio.CancelledError):
        await submitter


async def test_closing_waits_for_what_is_being_done():
    crew = ThreadPool(1, "crew")
    done: list[str] = []

    def job() -> None:
        time.sleep(0.05)
        done.append("whole")

    asked = asyncio.create_task(crew.run(job))
    await asyncio.sleep(0.01)
    await asyncio.to_thread(crew.close)

    assert done == ["whole"]
    await asked


def test_a_crew_that_was_never_asked_has_no_threads():
    before = threading.active_count()
    crew = ThreadPool(4, "crew")
    crew.close()

    assert threading.active_count() == before
