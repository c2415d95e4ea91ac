"""Timestamps of captures by an authority (RFC 3161): requesting and reading them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Final

import aiohttp
import yarl

from batchscan.copyleaks.proxies import proxies_of_environment
from batchscan.errors import UsageError
from batchscan.ledger.captures import Timestamp
from batchscan.util.escaping import printable
from batchscan.version import install_line, user_agent
from batchscan.web_client import ConnectTo

if TYPE_CHECKING:
    from rfc3161_client import TimeStampRequest

SECONDS: Final = 30.0
MAX_RESPONSE: Final = 100_000
"""Bytes; the longest have a tenth of it."""

_QUERY: Final = "application/timestamp-query"
_GRANTED: Final = (0, 1)


class TimestampError(Exception):
    """An authority gave no valid response; the message has the reason."""


@dataclass(frozen=True, slots=True)
class Stamped:
    """The content of a timestamp."""

    sha256: str  # of what was stamped
    at: float  # seconds since 1970
    nonce: int | None


class TimestampAuthority:
    """A timestamp authority. As the user configured its address, it may be a private one.

    Args:
        url: its address.
        connect_to: overrides of addresses.

    Raises:
        UsageError: the address is invalid, or rfc3161-client is not installed.
    """

    def __init__(self, url: str, connect_to: ConnectTo) -> None:
        require_client("--timestamp")
        self.url = url
        self._connect_to = connect_to
        try:
            parsed = yarl.URL(url)
            usable = parsed.scheme in ("http", "https") and bool(parsed.host)
        except ValueError:
            usable = False
        if not usable:
            raise UsageError(
                f"--timestamp: '{printable(url)}' is not an http:// or https:// address"
            )

    async def stamp(self, data: bytes) -> Timestamp:
        """Request a timestamp for some bytes; the response is returned even if it is unreadable.

        Raises:
            TimestampError: there is no response.
        """
        from rfc3161_client import HashAlgorithm, TimestampRequestBuilder  # noqa: PLC0415 - an extra

        builder = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256)
        request = await asyncio.to_thread(builder.build)
        response = await self._ask(request.as_bytes())
        return Timestamp(self.url, response, _time_of(response, request))

    async def _ask(self, query: bytes) -> bytes:
        url, headers = self._route()
        headers |= {"Content-Type": _QUERY, "User-Agent": user_agent()}
        try:
            async with (
                asyncio.timeout(SECONDS),
                aiohttp.ClientSession(
                    cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
                ) as session,
                session.post(
                    url,
                    data=query,
                    headers=headers,
                    allow_redirects=False,
                    proxy=proxies_of_environment()(str(url)),
                ) as response,
            ):
                body = await response.content.read(MAX_RESPONSE)
                while len(body) < MAX_RESPONSE and (
                    more := await response.content.read(MAX_RESPONSE)
                ):
                    body += more
                if response.status // 100 != 2 or not body:  # noqa: PLR2004 - HTTP's
                    raise TimestampError(f"HTTP {response.status} from {printable(self.url)}")
                return body
        except TimeoutError:
            raise TimestampError(f"{printable(self.url)} gave no answer in {SECONDS:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or type(error).__name__
            raise TimestampError(f"{printable(self.url)} cannot be reached: {why}") from error

    def _route(self) -> tuple[yarl.URL, dict[str, str]]:
        """The address to connect to, and the headers with the original name."""
        url = yarl.URL(self.url)
        elsewhere = self._connect_to.lookup(url.raw_host or "", url.port or 0)
        if elsewhere is None or url.scheme != "http":
            return url, {}
        host, port = elsewhere
        return url.with_host(host).with_port(port), {"Host": url.raw_authority}


def require_client(what: str) -> None:
    """Check that the library for timestamps is installed.

    Raises:
        UsageError: it is not.
    """
    try:
        import rfc3161_client  # noqa: F401, PLC0415 - an extra
    except ImportError:
        advice = install_line("timestamps")
        raise UsageError(f"{what}: rfc3161-client is not installed", advice=advice) from None


def read_timestamp(response: bytes) -> Stamped | None:
    """Read a response without verifying it; None if it cannot be read or is not granted.

    The library refuses responses with unsorted certificates, as OpenSSL's own server makes them, so
    a response that cannot be read here may still be valid.
    """
    from rfc3161_client import decode_timestamp_response  # noqa: PLC0415 - an extra

    try:
        decoded = decode_timestamp_response(response)
        if decoded.status not in _GRANTED:
            return None
        info = decoded.tst_info
        at = info.gen_time.replace(tzinfo=UTC).timestamp()
        return Stamped(info.message_imprint.message.hex(), at, info.nonce)
    except ValueError:
        return None


def _time_of(response: bytes, request: TimeStampRequest) -> float | None:
    """The time in a response; None if it does not belong to this request."""
    timestamp = read_timestamp(response)
    if timestamp is None or timestamp.nonce != request.nonce:
        return None
    return timestamp.at if timestamp.sha256 == request.message_imprint.message.hex() else None


def openssl_line(data: str, response: str) -> str:
    """The command that verifies a timestamp without batchscan."""
    return f"openssl ts -verify -data {data} -in {response} -CAfile CA.pem"
