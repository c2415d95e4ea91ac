"""The one place where what aiohttp and the network raise becomes our own errors."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import aiohttp

from batchscan.copyleaks.body import Body
from batchscan.copyleaks.errors import BadResponse, ConnectionFailed, WrongAddress
from batchscan.copyleaks.failures import clean


@contextmanager
def translated(url: str, body: Body) -> Iterator[None]:
    """Turn whatever aiohttp and the network raise into our own errors.

    Raises:
        ConnectionFailed: no answer came.
        BadResponse: what came is no HTTP.
        WrongAddress: the URL cannot be used.
    """
    try:
        yield
    except (aiohttp.InvalidURL, UnicodeError) as error:  # UnicodeError: a host that IDNA refuses
        raise WrongAddress(f"{url} cannot be used as an address") from error
    except aiohttp.ClientSSLError as error:
        raise ConnectionFailed(_why_tls(url, error), sent=False, reached=False) from error
    except aiohttp.ClientHttpProxyError as error:
        message = f"the proxy lets nobody through to {_host(url)}: HTTP {error.status}"
        raise ConnectionFailed(message, sent=False, reached=False) from error
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        through = _host(url)
        # A proxy whose name is not known raises what an unknown service does.
        if isinstance(error, aiohttp.ClientConnectorError) and error.host != _name(url):
            through = f"the proxy to {through}, {error.host}:{error.port}"
        message = f"no connection to {through}: {_why(error)}"
        raise ConnectionFailed(message, sent=False, reached=False) from error
    except aiohttp.ClientResponseError as error:
        message = f"{_host(url)} did not answer in HTTP: {clean(error.message)}"
        raise BadResponse(message) from error
    except (aiohttp.ClientError, OSError, ssl.SSLError) as error:
        message = f"{_host(url)} broke the connection off: {_why(error)}"
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
        return "it hung up"  # its own message may be half an answer
    strerror = getattr(error, "strerror", None)
    return clean(str(strerror or error)) or type(error).__name__


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0]


def _name(url: str) -> str | None:
    return urlsplit(url).hostname
