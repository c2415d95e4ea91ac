"""Answers with very many matches: what entering and reporting them takes, and how much memory."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.commands import batchscan
from tests.benchmarks.measure import Row, cpu, run
from tests.support.answering import answering, match, said
from tests.support.pictures import png, tree

ANSWERS = 8
MATCHES = 120_000  # in each of them


def answers(work: Path, scale: float) -> Iterator[Row]:
    """CPU seconds and memory of a scan whose every answer is that long."""
    count = round(MATCHES * scale)
    with _service(work, count) as url:
        used = run(*batchscan(work, url, "-q", str(work / "images")))
    what = f"{ANSWERS} answers of {count:,} matches"
    yield Row(f"CPU of entering {what}", "", cpu(used), 10 * scale, "s")
    yield Row("memory of the same", "", used.peak, 300, "MiB")


@contextmanager
def _service(work: Path, count: int) -> Iterator[str]:
    """The URL of a service that gives such answers, for as long as the block lasts."""
    began, over = threading.Event(), asyncio.Event()
    urls: list[str] = []
    loop = asyncio.new_event_loop()

    def answer(name: str, scan_id: str) -> bytes:
        first = int(name) * count
        entries = (match(first + n, n % 2, f"https://p{n}.example.com/") for n in range(count))
        return said(scan_id, *entries)

    async def serve() -> None:
        async with answering(work, answer) as service:
            tree(service.images, {f"{n}.png": png(16, 16, n) for n in range(ANSWERS)})
            urls.append(service.url)
            began.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    began.wait()
    try:
        yield urls[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
