"""Chromium, driven by Playwright: what a page does there, and what it asks for."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from batchscan.pace import SystemClock
from batchscan.report import Report
from batchscan.report.html_page import render
from batchscan.report_sections import MatchFacets, PictureMatches
from tests.support.bench import open_bench
from tests.support.match_builders import NOW

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",  # the sandbox needs rights that a container may not give
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Runs before the page's own script, and outside its policy.
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
});
"""


@dataclass
class Opened:
    """A page in the browser, and what it did."""

    page: Page
    requests: list[str] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)  # of the requests
    troubles: list[str] = field(default_factory=list)  # console errors, exceptions, dialogs

    async def shown(self) -> list[str]:
        """The names of the pictures that are shown, in their order."""
        return await self.page.locator(".picture:visible .path b").all_text_contents()

    async def status(self) -> str:
        return await self.page.locator("#status").inner_text()


def executable() -> str:
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed")
    return found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = executable()
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        await chromium.close()


@pytest.fixture
def bench_with(tmp_path):
    """Benches on the machine's time: the browser began before them, on the same event loop."""
    return lambda **config: open_bench(tmp_path, SystemClock(), **config)


@pytest.fixture
def opened(browser, tmp_path):
    """Open a file, or a report of pictures, for as long as a block lasts."""

    @asynccontextmanager
    async def open_file(path: Path, **context: Any) -> AsyncIterator[Opened]:
        async with await browser.new_context(**context) as made:
            page = await made.new_page()
            it = Opened(page)
            await page.add_init_script(WATCH)
            page.on("request", lambda request: it.requests.append(request.url))
            page.on("requestfinished", lambda request: it.answered.append(request.url))
            page.on("console", lambda said: it.troubles.append(said.text))
            page.on("pageerror", lambda error: it.troubles.append(str(error)))
            page.on("dialog", lambda dialog: it.troubles.append(dialog.message))
            made.on("page", lambda other: it.troubles.append(f"opened {other.url}"))
            await page.goto(path.as_uri())
            yield it

    return open_file


@pytest.fixture
def written(tmp_path) -> Callable[..., Path]:
    def write(
        report: Report,
        pictures: Iterable[PictureMatches],
        facets: Callable[[], MatchFacets] | None = None,
    ) -> Path:
        path = Path(tmp_path, "report.html")
        path.write_bytes(b"".join(render(report, pictures, made_at=NOW, facets=facets)))
        return path

    return write
