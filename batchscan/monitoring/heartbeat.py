"""Pings a server when a run starts and ends, in the manner of healthchecks.io.

The server raises the alarm when a failure is reported, or when no ping comes. Its address is a
secret: with it anybody can send pings.
"""

from __future__ import annotations

import os

import aiohttp
import yarl

from batchscan import version
from batchscan.copyleaks.proxies import proxies_of_environment

TRIES = 2
SECONDS = 5.0  # that a try may take
MAX_LENGTH = 10_000  # bytes of text


async def ping(url: str, what: str, text: str = "") -> str | None:
    """Ping the server once; returns the error without the address, or None.

    Args:
        url: its address, as the settings have it.
        what: `start`, or an exit code.
        text: for people to read, cut to what such servers keep.
    """
    body = text.encode(errors="replace")[:MAX_LENGTH].decode(errors="ignore").encode()
    trouble = None
    async with aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=SECONDS),
        headers={"User-Agent": version.user_agent(), "Content-Type": "text/plain; charset=utf-8"},
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
    ) as session:
        for _ in range(TRIES):
            trouble = await _try(session, url, what, body)
            if trouble is None:
                break
    return trouble


async def _try(session: aiohttp.ClientSession, url: str, what: str, body: bytes) -> str | None:
    proxy = proxies_of_environment()(url)
    try:
        async with session.post(
            _address(url, what), data=body, allow_redirects=False, proxy=proxy
        ) as response:
            good = response.status // 100 == 2  # noqa: PLR2004 - as RFC 9110 has it
            return None if good else f"HTTP {response.status}"
    except TimeoutError:
        return f"no answer within {SECONDS:.0f} s"
    except aiohttp.ClientConnectorCertificateError:
        return "its certificate cannot be trusted"
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return _why(error)


def _address(url: str, what: str) -> yarl.URL:
    base, mark, query = url.partition("?")
    return yarl.URL(f"{base.rstrip('/')}/{what}{mark}{query}", encoded=url.isascii())


def _why(error: Exception) -> str:
    """Describe an error without its own text, which may contain the address."""
    number = getattr(error, "errno", None)
    return os.strerror(number) if number and number > 0 else type(error).__name__
