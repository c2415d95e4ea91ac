"""HTTP with aiohttp: a session with keep-alive connections, and one without."""

from __future__ import annotations

import asyncio
import os
import ssl
import zlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias
from urllib.parse import urlsplit

import aiohttp

from batchscan.copyleaks.awake_timeout import AwakeTimeout
from batchscan.copyleaks.connections import STEPS, CheckedConnector, all_that_came
from batchscan.copyleaks.error_table import clean, is_object
from batchscan.copyleaks.errors import BadResponse, ConnectionFailed, ServiceError, WrongAddress
from batchscan.copyleaks.proxies import ProxyFor, proxies_of_environment
from batchscan.copyleaks.received_body import ReceivedBody
from batchscan.copyleaks.requests import Request
from batchscan.copyleaks.response_end import MAX_HEAD
from batchscan.copyleaks.secret import SecretStr
from batchscan.copyleaks.unpacker import Unpacker
from batchscan.copyleaks.upload_body import UploadBody

MAX_ANSWER = 64 * 1024 * 1024  # bytes after decompression
TOO_SLOW = "the answer did not end in time"

BeforeLong: TypeAlias = Callable[[], Awaitable[object]]
"""Awaited once before a long answer, which has arrived, is read into memory."""


@dataclass(frozen=True, slots=True)
class Response:
    """A complete response."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    sent: bool = True  # whether the whole request had been sent when the response began
    fresh: bool = False  # whether it came over a new connection


class Transport:
    """Sends requests over keep-alive connections, or over new ones; `async with`."""

    def __init__(
        self,
        *,
        user_agent: str,
        connect_timeout: float,
        read_timeout: float,
        connections: int,
        proxy_for: ProxyFor | None = None,
        folder: Path | None = None,
    ) -> None:
        """Configure the sessions; timeouts in seconds.

        Args:
            user_agent: the User-Agent header.
            connect_timeout: for setting up one connection.
            read_timeout: from the end of the request to the start of the response, from there to
                its end, and for sending each 256 KiB.
            connections: at most at once.
            proxy_for: returns the proxy for a URL; by default from the environment.
            folder: where long bodies are kept as they arrive; by default they are in memory.
        """
        self._headers = {
            "User-Agent": user_agent,
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "Accept-Language": "en",
        }
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._connections = connections
        self._proxy_for = proxy_for or proxies_of_environment()
        self._folder = folder
        self._sessions: dict[bool, aiohttp.ClientSession] = {}  # by whether connections are kept
        self._keep = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        for session in self._sessions.values():
            await session.close()

    def distrust(self) -> None:
        """Use each connection only once from now on, as one carried another request's answer.

        Requests in flight end on their connections.
        """
        self._keep = False

    async def send(
        self,
        request: Request,
        leaving: Callable[[], None] | None = None,
        before_long: BeforeLong | None = None,
    ) -> Response:
        """Send a request once and read the whole response; redirects are not followed.

        Args:
            request: the request.
            leaving: called after connecting, when the first byte of the request is sent.
            before_long: see `BeforeLong`.

        Raises:
            ConnectionFailed: no response came.
            BadResponse: a 200 that is truncated, too large, or not HTTP.
            WrongAddress: the URL cannot be used.
        """
        # Limits each step from the first byte sent to the last one received; for a request
        # without a body, connecting as well.
        timer = AwakeTimeout()
        body = UploadBody(request.body, leaving, lambda: timer.allow(self._read_timeout))
        keep = self._keep and not request.alone
        with translated(request.url, body):
            if not request.body:
                timer.allow(STEPS * self._connect_timeout + self._read_timeout)
            async with (
                timer,
                self._session(keep=keep).request(
                    request.method,
                    request.url,
                    data=body if request.body else None,
                    headers=self._headers_of(request),
                    allow_redirects=False,
                    proxy=self._proxy_for(request.url),
                ) as response,
            ):
                sent = not request.body or (body.sent and not body.answered_early)
                with timer.paused():  # the body has a timer of its own
                    content = await self._read(response, before_long)
                if response.status == HTTPStatus.OK and not sent:
                    raise _unreadable(
                        "the answer came before the picture was sent", response, content
                    )
                return Response(response.status, response.headers, content, sent, fresh=not keep)

    def _session(self, *, keep: bool) -> aiohttp.ClientSession:
        if keep not in self._sessions:  # made here: a session wants a running loop
            self._sessions[keep] = aiohttp.ClientSession(
                connector=CheckedConnector(
                    limit=self._connections,
                    force_close=not keep,
                    connect_timeout=self._connect_timeout,
                ),
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=None
                ),  # ours do not count time asleep
                headers=self._headers,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=False,  # see `unpacker`
                # Longer ones would cost the answer, which is paid for.
                max_line_size=MAX_HEAD,
                max_field_size=MAX_HEAD,
            )
        return self._sessions[keep]

    def _headers_of(self, request: Request) -> dict[str, str]:
        headers = {}
        if request.content_type:
            headers["Content-Type"] = request.content_type
        if request.token:
            headers["Authorization"] = SecretStr(
                f"Bearer {request.token}"
            )  # also in aiohttp's frames
        return headers

    async def _read(
        self, response: aiohttp.ClientResponse, before_long: BeforeLong | None
    ) -> bytes:
        async with ReceivedBody(self._folder) as body:
            problem = await _receive(body, response, self._read_timeout)
            if body.is_long and before_long is not None:
                await before_long()
            try:
                content = await body.content()
            except OSError as error:
                content, problem = b"", f"the answer cannot be read back: {error.strerror}"
        if problem is None or response.status != HTTPStatus.OK:
            return content
        # Its announced length or its last chunk may be wrong, and everything there.
        if await asyncio.to_thread(is_object, content):
            return content
        if problem == TOO_SLOW:
            raise TimeoutError
        raise _unreadable(problem, response, content)


async def _receive(
    body: ReceivedBody, response: aiohttp.ClientResponse, seconds: float
) -> str | None:
    """Receive the body, and say what is wrong if it is not whole."""
    unpacker = Unpacker(response.headers.get("Content-Encoding", ""))
    try:
        async with AwakeTimeout() as timer:
            timer.allow(seconds)
            async for chunk in all_that_came(response.content):
                for piece in unpacker.feed(chunk):
                    body.add(piece)
                    if body.size > MAX_ANSWER:
                        return "the answer is larger than 64 MiB"
                    if body.is_block_full:
                        with timer.paused():  # a slow disk is not the service's silence
                            await body.store()
    except (aiohttp.ClientPayloadError, zlib.error):
        return "the answer was cut off, or is damaged"
    except TimeoutError:
        return TOO_SLOW
    return None


def _unreadable(what: str, response: aiohttp.ClientResponse, body: bytes) -> BadResponse:
    return BadResponse(what, ServiceError(http_status=response.status), body)


@contextmanager
def translated(url: str, body: UploadBody) -> Iterator[None]:
    """Turn exceptions of aiohttp and the network into our own.

    Raises:
        ConnectionFailed: no response came.
        BadResponse: the response is not HTTP.
        WrongAddress: the URL cannot be used.
    """
    try:
        yield
    except (aiohttp.InvalidURL, UnicodeError) as error:  # UnicodeError: a host that IDNA refuses
        raise WrongAddress(f"{url} cannot be used as an address") from error
    except aiohttp.ClientSSLError as error:
        raise ConnectionFailed(_why_tls(url, error), sent=False, reached=False) from error
    except aiohttp.ClientHttpProxyError as error:
        message = f"the proxy refused a connection to {_host(url)}: HTTP {error.status}"
        raise ConnectionFailed(message, sent=False, reached=False) from error
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        through = _host(url)
        # aiohttp raises the same for an unknown proxy as for an unknown service.
        if isinstance(error, aiohttp.ClientConnectorError) and error.host != _name(url):
            through = f"the proxy to {through}, {error.host}:{error.port}"
        message = f"no connection to {through}: {_why(error)}"
        raise ConnectionFailed(message, sent=False, reached=False) from error
    except aiohttp.ClientResponseError as error:
        message = f"{_host(url)} did not answer in HTTP: {clean(error.message)}"
        raise BadResponse(message) from error
    except (aiohttp.ClientError, OSError, ssl.SSLError) as error:
        message = f"{_host(url)} closed the connection: {_why(error)}"
        raise ConnectionFailed(message, sent=body.sent, reached=True) from error


def _why_tls(url: str, error: aiohttp.ClientSSLError) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        why = clean(str(error.certificate_error))
        return f"the certificate of {_host(url)} cannot be trusted: {why}"
    return f"no secure connection to {_host(url)}: {_why(error)}"


def _why(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "it hung up"  # aiohttp's message may contain a part of the response
    number = getattr(error, "errno", None)
    if isinstance(number, int) and "Connect call failed" in str(error):  # asyncio's own words
        return os.strerror(number)
    strerror = getattr(error, "strerror", None)
    return clean(str(strerror or error)) or type(error).__name__


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0]


def _name(url: str) -> str | None:
    return urlsplit(url).hostname
