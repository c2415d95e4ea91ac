"""One request and its response, over a connection of its own."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import aiohttp

from batchscan.web_client.connector import GuardedConnector, Permits
from batchscan.web_client.fetch_results import FailureKind, FetchError, Hop
from batchscan.web_client.targets import Target

_PIECE: Final = 65_536  # bytes
# Replaces the host where a rule says what to connect to: literal addresses ask no resolver.
_ELSEWHERE: Final = "connect-to.invalid"
_OK: Final = range(200, 300)
_TRANSFERS: Final = frozenset({"", "chunked", "identity"})


@dataclass(frozen=True, slots=True)
class Route:
    """The addresses and port that a request connects to."""

    addresses: Sequence[str]
    port: int
    permits: Permits
    is_exception: bool = False  # a rule of `--connect-to` says so


@dataclass(frozen=True, slots=True)
class RequestParameters:
    """The parameters of a request, apart from its address."""

    headers: Mapping[str, str]
    max_bytes: int
    truncates: bool = False  # what is longer is no trouble: its beginning is enough


class TimeBudget:
    """Seconds of exchanges that one address may take in all; waiting for a turn costs nothing."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self._seconds = seconds

    @contextmanager
    def spending(self) -> Iterator[float]:
        """Count the time of the block; yields the remaining seconds."""
        began = time.monotonic()
        try:
            yield self._left
        finally:
            self._left = max(0.0, self._left - (time.monotonic() - began))

    def timed_out(self) -> FetchError:
        """Say that it took too long."""
        return FetchError(FailureKind.TIMEOUT, f"no whole answer within {self._seconds:g} s")


async def exchange(
    target: Target, route: Route, parameters: RequestParameters, now: Callable[[], float]
) -> Hop:
    """Ask once, follow nothing.

    Raises:
        FetchError: no response, or one that is too large or damaged.
    """
    connector = GuardedConnector(route.addresses, route.port, route.permits)
    at = now()
    try:
        async with (
            aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(total=None),
                requote_redirect_url=False,
            ) as session,
            session.get(
                target.url.with_host(_ELSEWHERE) if route.is_exception else target.url,
                headers={"Host": _host_header(target), "Connection": "close", **parameters.headers},
                server_hostname=target.host.rstrip(".") if target.url.scheme == "https" else None,
                allow_redirects=False,
            ) as response,
        ):
            return await _received(response, target, connector.peer, parameters, at)
    except (aiohttp.ClientError, ValueError, OSError, asyncio.IncompleteReadError) as error:
        raise _failed(error, connector) from error


def _host_header(target: Target) -> str:
    host = f"[{target.host}]" if ":" in target.host else target.host
    return host if target.url.is_default_port() else f"{host}:{target.port}"


async def _received(
    response: aiohttp.ClientResponse,
    target: Target,
    peer: str,
    parameters: RequestParameters,
    at: float,
) -> Hop:
    truncates = parameters.truncates or response.status not in _OK
    announced = response.content_length or 0
    too_large = announced > parameters.max_bytes and not truncates
    body, complete = (b"", False)
    if not too_large:
        body, complete = await _body(
            response, parameters.max_bytes, complete_only=response.status in _OK
        )
    version = response.version
    hop = Hop(
        url=str(target.url),
        ip=peer,
        at=at,
        request_headers=tuple(response.request_info.headers.items()),
        version=f"{version.major}.{version.minor}" if version else "1.1",
        status=response.status,
        reason=response.reason or "",
        headers=tuple(response.raw_headers),
        body=body,
        complete=complete,
    )
    if hop.listed("transfer-encoding").lower() not in _TRANSFERS:
        detail = "it has an unexpected transfer encoding"
        raise FetchError(FailureKind.BAD_RESPONSE, detail, hop)
    if not complete and not truncates:
        raise FetchError(
            FailureKind.TOO_LARGE, f"it has more than {parameters.max_bytes:,} bytes", hop
        )
    return hop


async def _body(
    response: aiohttp.ClientResponse, limit: int, *, complete_only: bool
) -> tuple[bytes, bool]:
    """Read up to `limit` bytes, and whether they are all; `complete_only` raises if cut off."""
    parts = bytearray()
    try:
        async for part in response.content.iter_chunked(_PIECE):
            parts += part
            if len(parts) > limit:
                return bytes(parts[:limit]), False
    except aiohttp.ClientPayloadError:
        if complete_only:
            raise
        return bytes(parts), False
    return bytes(parts), True


def _failed(error: BaseException, connector: GuardedConnector) -> FetchError:
    if connector.refused is not None:
        return FetchError(
            FailureKind.ADDRESS, f"it leads to {connector.refused}, which is not a public address"
        )
    if isinstance(error, (aiohttp.ClientSSLError, ssl.SSLError)):
        return FetchError(FailureKind.TLS, f"its certificate or TLS is not right: {_why(error)}")
    if isinstance(error, (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)):
        return FetchError(FailureKind.CONNECTION, f"no connection: {_why(error)}")
    if isinstance(error, (aiohttp.ClientError, ValueError)):
        cut = isinstance(error, aiohttp.ClientPayloadError)
        what = "is cut short or does not agree with its headers" if cut else "is not valid HTTP"
        return FetchError(FailureKind.BAD_RESPONSE, f"its answer {what}")
    return FetchError(FailureKind.CONNECTION, f"no connection: {_why(error)}")


def _why(error: BaseException) -> str:
    """The message of the system or OpenSSL; never a server's own text."""
    certificate = getattr(error, "certificate_error", None)
    if (message := getattr(certificate, "verify_message", None)) is not None:
        return str(message).rstrip(".")
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "it hung up"
    text = getattr(error, "strerror", None)
    return str(text) if text else type(error).__name__
