"""HTTP by aiohttp: one session, one place where network errors are translated."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

from batchscan.copyleaks.errors import BadResponse, ConnectionFailed, Details, WrongAddress
from batchscan.copyleaks.proxies import ProxyFor, proxies_of_environment
from batchscan.copyleaks.requests import Multipart, Request

CHUNK = 256 * 1024  # bytes handed over at once
LARGEST_ANSWER = 64 * 1024 * 1024  # bytes after decompression

_NOT_REACHED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class Transport:
    """Sends requests over kept-alive connections; `async with`."""

    def __init__(
        self,
        *,
        user_agent: str,
        connect_timeout: float,
        read_timeout: float,
        connections: int,
        proxy_for: ProxyFor | None = None,
    ) -> None:
        """Prepare; timeouts in seconds.

        Args:
            user_agent: the honest name that servers see.
            connect_timeout: for one connection to come about.
            read_timeout: for the answer to begin once the request is sent, for it to end once it
                has begun, and for each 256 KiB of a request to leave.
            connections: kept at once, at most.
            proxy_for: the proxy for a URL; by default that of the environment.
        """
        self._headers = {
            "User-Agent": user_agent,
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "Accept-Language": "en",
        }
        self._timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=connect_timeout, sock_read=read_timeout
        )
        self._read_timeout = read_timeout
        self._connections = connections
        self._proxy_for = proxy_for or proxies_of_environment()
        self._session: aiohttp.ClientSession | None = None

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
        if self._session is not None:
            await self._session.close()

    async def send(self, request: Request, leaving: Callable[[], None] | None = None) -> Response:
        """Send a request once and read the whole answer; redirects are answers too.

        Connecting comes before: `leaving` is called when the first byte of the request leaves.

        Raises:
            ConnectionFailed: no answer came.
            BadResponse: a 200 came that is torn, too large, or no HTTP.
            WrongAddress: the URL cannot be used.
        """
        body = _Body(request.body, self._read_timeout, leaving)
        async with (
            _translated(request.url, body),
            self._opened().request(
                request.method,
                request.url,
                data=body,
                headers=self._headers_of(request),
                allow_redirects=False,
                proxy=self._proxy_for(request.url),
            ) as response,
        ):
            headers = dict(response.headers)
            return Response(response.status, headers, await self._read(response))

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:  # made here: a session wants a running loop
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections),
                timeout=self._timeout,
                headers=self._headers,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
            )
        return self._session

    def _headers_of(self, request: Request) -> dict[str, str]:
        headers = {}
        if request.content_type:
            headers["Content-Type"] = request.content_type
        if request.token:
            headers["Authorization"] = f"Bearer {request.token}"
        return headers

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        chunks: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._read_timeout):
                async for chunk in response.content.iter_any():
                    chunks.append(chunk)
                    size += len(chunk)
                    if size > LARGEST_ANSWER:
                        raise _unreadable("the answer is larger than 64 MiB", response, chunks)
        except aiohttp.ClientPayloadError as error:
            if response.status != HTTPStatus.OK:
                return b"".join(chunks)
            raise _unreadable("the answer broke off", response, chunks) from error
        return b"".join(chunks)


class _Body(Payload):
    """A request's body with a known length, which knows whether it has left whole."""

    _autoclose = True  # nothing is held that wants closing

    def __init__(
        self, body: bytes | Multipart, chunk_timeout: float, leaving: Callable[[], None] | None
    ) -> None:
        pieces = (body.head, body.image, body.tail) if isinstance(body, Multipart) else (body,)
        super().__init__(body, content_type="application/octet-stream")
        self._pieces = pieces
        self._size = sum(map(len, pieces))
        self._chunk_timeout = chunk_timeout
        self._leaving = leaving
        self.sent = False

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:  # noqa: ARG002
        raise TypeError("a picture is no text")

    async def write(self, writer: AbstractStreamWriter) -> None:
        if self._leaving is not None:  # aiohttp sends the headers with the first piece
            self._leaving()
        for piece in self._pieces:
            view = memoryview(piece)
            for start in range(0, len(view), CHUNK):
                async with asyncio.timeout(self._chunk_timeout):
                    await writer.write(view[start : start + CHUNK])
        self.sent = True

    async def write_with_length(
        self,
        writer: AbstractStreamWriter,
        content_length: int | None,  # noqa: ARG002 - ours is always the whole
    ) -> None:
        await self.write(writer)


def _unreadable(what: str, response: aiohttp.ClientResponse, chunks: list[bytes]) -> BadResponse:
    return BadResponse(what, Details(http_status=response.status), b"".join(chunks))


@asynccontextmanager
async def _translated(url: str, body: _Body) -> AsyncIterator[None]:
    """Turn whatever aiohttp and the network raise into our own errors."""
    try:
        yield
    except aiohttp.InvalidURL as error:
        raise WrongAddress(f"{url} cannot be used as an address") from error
    except aiohttp.ClientSSLError as error:
        raise ConnectionFailed(_why_tls(url, error), sent=False, reached=False) from error
    except _NOT_REACHED as error:
        message = f"no connection to {_host(url)}: {_why(error)}"
        raise ConnectionFailed(message, sent=False, reached=False) from error
    except aiohttp.ClientResponseError as error:
        raise BadResponse(f"{_host(url)} did not answer in HTTP: {error.message}") from error
    except (aiohttp.ClientError, OSError, ssl.SSLError) as error:
        message = f"{_host(url)} broke the connection off: {_why(error)}"
        raise ConnectionFailed(message, sent=body.sent, reached=True) from error


def _why_tls(url: str, error: aiohttp.ClientSSLError) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"the certificate of {_host(url)} cannot be trusted: {error.certificate_error}"
    return f"no secure connection to {_host(url)}: {_why(error)}"


def _why(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    strerror = getattr(error, "strerror", None)
    return str(strerror or str(error) or type(error).__name__)


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0]
