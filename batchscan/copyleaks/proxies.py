"""The proxy for a request, from the environment; none for loopback addresses.

aiohttp's own `trust_env` would also read `~/.netrc` and send the credentials in it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass

ProxyFor = Callable[[str], str | None]


def proxies_of_environment() -> ProxyFor:
    """Read HTTPS_PROXY, HTTP_PROXY and NO_PROXY once; returns a function from URL to proxy."""
    proxies = getproxies_environment()

    @cache  # of two services at most
    def proxy_of(scheme: str, netloc: str) -> str | None:
        host = urlsplit(f"//{netloc}").hostname or ""
        if is_loopback(host) or proxy_bypass(netloc.rpartition("@")[2]):
            return None
        proxy = proxies.get(scheme)
        # curl's manual writes `proxy:3128` without a scheme.
        return f"http://{proxy}" if proxy and "://" not in proxy else proxy

    def proxy_for(url: str) -> str | None:
        scheme, _, rest = url.partition("://")
        return proxy_of(scheme, rest.partition("/")[0])

    return proxy_for


def proxy_problem(proxy: str) -> str | None:
    """Why a proxy cannot be used, without its password; None if it may work."""
    try:
        parts = urlsplit(proxy)
        port, host = parts.port, parts.hostname
    except ValueError:
        return "its port is not a number up to 65535, or its address is damaged"
    if not _is_host(host or ""):
        return "its host is not a name or an address"
    if parts.scheme not in ("http", "https"):
        return f"{parts.scheme}:// proxies are not supported: name an http:// proxy"
    if not host or port == 0:
        return "its host or its port is missing"
    if not (f"{parts.username or ''}{parts.password or ''}").isascii():
        return "its user name or password is not ASCII: write them percent-encoded"
    return None


def _is_host(host: str) -> bool:
    """Whether a host can be connected to; an empty one passes."""
    if re.fullmatch(r"\d+(\.\d+){3}", host, re.ASCII):
        with suppress(ValueError):
            return bool(ipaddress.ip_address(host))
        return False
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return not any(character.isspace() for character in host)


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's loopback interface."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
