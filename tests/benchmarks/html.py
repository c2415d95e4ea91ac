"""How large report.html becomes, and how long Chromium takes to open and to search it."""

from __future__ import annotations

import asyncio
import shutil
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from batchscan.report.html_page import render
from tests.benchmarks.commands import Missing
from tests.benchmarks.measure import Row
from tests.browser.conftest import FLAGS, NAMES
from tests.support.match_builders import NOW, many, report_of

PICTURES = 10_000
OPENED = 5  # times

# Milliseconds since the navigation began: the load event, and then the next frame.
_TIMES = """() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => {
  const [navigation] = performance.getEntriesByType("navigation");
  const [paint] = performance.getEntriesByName("first-contentful-paint");
  done([paint.startTime, navigation.loadEventEnd]);
})))"""
_SEARCH = """() => {
  const start = performance.now();
  document.getElementById("find").value = "img_000123";
  document.getElementById("tools").requestSubmit();
  document.body.getBoundingClientRect();
  return performance.now() - start;
}"""


@dataclass(frozen=True)
class Opened:
    """One opening of the page in a fresh browser, in seconds."""

    paint: float
    load: float
    search: float


def html(work: Path, scale: float) -> Iterator[Row]:
    """The page of ten thousand matched pictures, with 1.5 kB thumbnails and 3 matches each."""
    chromium = next(filter(None, map(shutil.which, NAMES)), None)
    if chromium is None:
        raise Missing(f"install one of {', '.join(NAMES)} to open the report with")
    count = round(PICTURES * scale)
    about, path = report_of(many(count)), work / "report.html"
    before = time.perf_counter()
    path.write_bytes(b"".join(render(about, many(count), made_at=NOW)))
    took = time.perf_counter() - before
    size = path.stat().st_size
    what = f"report.html of {count:,} matched pictures"
    note = f"{path.read_bytes().count(b'<article'):,} of them in the file"
    yield Row(what, "size", size / 1e6, 25, "MB", note=note)
    yield Row(what, "time to write", took, 10, "s")
    opened = asyncio.run(_opened(chromium, path))
    for name, reach in (("paint", 1.0), ("load", 3.0), ("search", 1.0)):
        seconds = statistics.median(getattr(one, name) for one in opened)
        yield Row(what, f"Chromium, {name}", seconds, reach, "s")


async def _opened(chromium: str, path: Path) -> list[Opened]:
    async with async_playwright() as playwright:
        found = []
        for _ in range(OPENED):
            browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            found.append(await _open(browser, path))
            await browser.close()
    return found


async def _open(browser: Browser, path: Path) -> Opened:
    page = await browser.new_page()
    await page.goto(path.as_uri())
    paint, load = await page.evaluate(_TIMES)
    return Opened(paint / 1e3, load / 1e3, await page.evaluate(_SEARCH) / 1e3)
