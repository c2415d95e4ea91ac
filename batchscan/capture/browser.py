"""Screenshots with the user's Chromium, which can connect only through our filtering proxy."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from batchscan.capture.capturer import Screenshot
from batchscan.capture.filtering_proxy import FilteringProxy
from batchscan.errors import UsageError
from batchscan.util import system
from batchscan.web_client import ConnectTo

SECONDS: Final = 60.0
"""The time that a browser may take for one page."""

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
    "--window-size=1280,2000",
    "--timeout=20000",  # milliseconds for the page to load
    "--proxy-bypass-list=<-loopback>",  # use the proxy for loopback, too
)
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
        """Take a screenshot of a page; None if the browser made none."""
        proxy = FilteringProxy(self.connect_to)
        async with self._turn, proxy.serving() as port:
            with tempfile.TemporaryDirectory(
                prefix="batchscan-browser-", ignore_cleanup_errors=True
            ) as folder:
                target = os.path.join(folder, "page.png")
                at = time.time()
                await self._run(folder, target, url, port)
                png = await asyncio.to_thread(_read, target)
        if proxy.refused:
            log.info(
                "the browser was not allowed to open %s", ", ".join(dict.fromkeys(proxy.refused))
            )
        return None if png is None else Screenshot(url, png, at)

    async def _run(self, folder: str, target: str, url: str, port: int) -> None:
        words = [
            self.path,
            *_FLAGS,
            f"--user-data-dir={os.path.join(folder, 'profile')}",
            f"--proxy-server=http://127.0.0.1:{port}",
            f"--screenshot={target}",
        ]
        if _is_root():  # its sandbox does not work for root, and it refuses to start without
            log.warning("the browser runs without its sandbox, which root cannot use")
            words.append("--no-sandbox")
        process = await asyncio.create_subprocess_exec(
            *words,
            url,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            cwd=folder,
            env={"PATH": os.environ.get("PATH", ""), "HOME": folder, "LANG": "C.UTF-8"},
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(SECONDS):
                await process.wait()
        except TimeoutError:
            log.warning("the browser took longer than %.0f s for a page and was stopped", SECONDS)
        finally:
            with suppress(ProcessLookupError):
                system.end_group(process.pid)
            await process.wait()


def _is_root() -> bool:
    return system.is_superuser()


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_PNG + 1)
    except OSError:
        return None
    return data if data.startswith(b"\x89PNG") and len(data) <= MAX_PNG else None
