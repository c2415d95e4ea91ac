"""Screenshots with the user's Chromium, which can connect only through our filtering proxy."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from typing import Final

from batchscan.capture.capturer import Screenshot
from batchscan.capture.devtools import BrowserPage, PageError, PageNotThere, pipes
from batchscan.capture.filtering_proxy import FilteringProxy
from batchscan.errors import UsageError
from batchscan.util import system
from batchscan.web_client import ConnectTo

SECONDS: Final = 30.0
"""The time that a browser may take for one page, with its scripts and once more without."""

LOADING: Final = 20.0
"""Of these, the time for the page to load; what has come by then is shown."""

_SIZE: Final = (1280, 2000)

MAX_PNG: Final = 30_000_000  # bytes
_NAMES: Final = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
_FLAGS: Final = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--disable-extensions",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-domain-reliability",
    "--disable-client-side-phishing-detection",
    "--deny-permission-prompts",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-pings",
    "--mute-audio",
    "--hide-scrollbars",
    "--incognito",
    "--password-store=basic",
    "--use-mock-keychain",
    "--remote-debugging-pipe",
    "--proxy-bypass-list=<-loopback>",  # use the proxy for loopback, too
)
_ON_PIPES: Final = ("/bin/sh", "-c", 'exec "$@" 3<&0 4>&1 </dev/null >/dev/null', "sh")
"""Starts a program with its input as descriptor 3 and its output as 4, as Chromium takes pipes."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Chromium:
    """Takes screenshots, one at a time.

    Args:
        path: of the program.
        connect_to: exceptions from where names lead to.
    """

    path: str
    connect_to: ConnectTo = field(default_factory=ConnectTo)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @classmethod
    def find(cls, connect_to: ConnectTo, environ: Mapping[str, str]) -> Chromium:
        """Find the user's own.

        Raises:
            UsageError: there is none.
        """
        named = environ.get("CHROME_PATH")
        for name in (named,) if named else _NAMES:
            path = shutil.which(name, path=environ.get("PATH"))
            if path is not None:
                return cls(path, connect_to)
        raise UsageError(
            "--screenshot: Chromium or Chrome was not found",
            advice="install one, or name it in the environment variable CHROME_PATH",
        )

    async def shoot(self, url: str) -> Screenshot | None:
        """Take a screenshot of a page; None if the browser made none.

        A page whose scripts do not let it be shown, as one that never ends, is shown without them.
        """
        async with self._turn:
            try:
                at = time.time()
                png = await self._attempt(url, scripts=True)
                if png is None:
                    at = time.time()
                    png = await self._attempt(url, scripts=False)
            except PageNotThere as error:
                log.info("no screenshot of %s: %s", url, error)
                return None
        return None if png is None or len(png) > MAX_PNG else Screenshot(url, png, at)

    async def _attempt(self, url: str, *, scripts: bool) -> bytes | None:
        """Take a screenshot in a browser of its own.

        Raises:
            PageNotThere: nothing came from its address.
        """
        proxy = FilteringProxy(self.connect_to)
        try:
            async with (
                asyncio.timeout(SECONDS),
                proxy.serving() as port,
                self._running(port) as page,
            ):
                await page.open(*_SIZE, scripts=scripts)
                await page.load(url, LOADING)
                return await page.screenshot()
        except PageError as error:
            log.info("no screenshot of %s: %s", url, error)
        except TimeoutError:
            log.warning("the browser took longer than %.0f s for a page and was stopped", SECONDS)
        finally:
            if proxy.refused:
                hosts = ", ".join(dict.fromkeys(proxy.refused))
                log.info("the browser was not allowed to open %s", hosts)
        return None

    @asynccontextmanager
    async def _running(self, port: int) -> AsyncIterator[BrowserPage]:
        """Run a browser during the block, which connects through the proxy on this port."""
        with tempfile.TemporaryDirectory(
            prefix="batchscan-browser-", ignore_cleanup_errors=True
        ) as folder:
            async with pipes() as (page, ends):
                with closing(ends):
                    process = await asyncio.create_subprocess_exec(
                        *_ON_PIPES,
                        *self._command(port, folder),
                        stdin=ends.commands,
                        stdout=ends.answers,
                        stderr=asyncio.subprocess.DEVNULL,
                        cwd=folder,
                        env={"PATH": os.environ.get("PATH", ""), "HOME": folder, "LANG": "C.UTF-8"},
                        start_new_session=True,
                    )
                try:
                    yield page
                finally:
                    with suppress(ProcessLookupError):
                        system.end_group(process.pid)
                    await process.wait()

    def _command(self, port: int, folder: str) -> list[str]:
        profile = os.path.join(folder, "profile")
        proxy = f"http://127.0.0.1:{port}"
        words = [self.path, *_FLAGS, f"--user-data-dir={profile}", f"--proxy-server={proxy}"]
        if system.is_superuser():  # the sandbox does not work for root, and it would not start
            log.warning("the browser runs without its sandbox, which root cannot use")
            words.append("--no-sandbox")
        return words
