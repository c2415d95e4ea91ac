"""`DOMAIN|URL` patterns of the command line and of rules: a site, or addresses on the web."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from functools import cached_property

from batchscan.errors import UsageError
from batchscan.util.escaping import printable
from batchscan.util.public_suffixes import is_public_suffix
from batchscan.util.urls import (
    MAX_NAME,
    ascii_host,
    host_of,
    normalize_url,
    registrable_domain,
)

_ANYTHING = "*"
_NOT_IN_DOMAINS = frozenset(" :@?#[]%\\,;\"'<>|")


class ParsedUrl:
    """A URL from outside, with the parts that patterns compare; each is computed on first use."""

    def __init__(self, url: str) -> None:
        self.url = url

    @cached_property
    def host(self) -> str:
        """Its host in punycode; "" if it has none."""
        return _written(host_of(self.url))

    @cached_property
    def normalized(self) -> str:
        """The normalized URL."""
        return normalize_url(self.url)

    @property
    def authority(self) -> str:
        """The host, with the port if that is not the default one."""
        return self.normalized.partition("/")[0]


@dataclass(frozen=True, slots=True)
class UrlPattern:
    """A domain with its subdomains, or a pattern for whole URLs in which `*` matches anything.

    A URL without a path (`https://example.com`) covers everything on that host. International
    names may be written in Unicode or in punycode.
    """

    text: str
    is_domain: bool
    host: str | None  # that all covered URLs have or are below of; None if a `*` is part of it
    # The text between the stars, of the whole URL or of its host and its path. A star in a host
    # does not match beyond it: otherwise the path of any site could contain a name that fits.
    _whole: tuple[str, ...] | None = field(default=None, compare=False, repr=False)
    _authority: tuple[str, ...] | None = field(default=None, compare=False, repr=False)
    _path: tuple[str, ...] | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, text: str) -> UrlPattern:
        """Parse a `DOMAIN|URL`.

        Raises:
            UsageError: it is neither.
        """
        text = text.strip()
        if ("/" in text or _ANYTHING in text) and not text.endswith("://"):
            return _url_target(text)
        host = _domain(text)
        if not host:
            raise UsageError(
                f"'{printable(text)}' is neither a domain nor a URL",
                advice="write example.com for a site, or https://example.com/press/* for URLs",
            )
        return cls(text.lower(), is_domain=True, host=host)

    @property
    def domain(self) -> str | None:
        """The registrable domain of everything that it covers; None if there may be several.

        None for IPv6 as well, which URLs write in more than one way.
        """
        host = self.host
        if not host or ":" in host or not host.isascii():
            return None
        domain = registrable_domain(f"//{host}")
        below = registrable_domain(f"//x.{host}")  # differs if the host is a public suffix
        return domain if below == domain or not self.is_domain or _is_ip(host) else None

    @property
    def is_public_suffix(self) -> bool:
        """Whether it covers every site under `com`, `co.uk` or the like.

        A name of one label that no list knows (`example`) is as public, but for `localhost`.
        """
        whole = self.text.rpartition("://")[2].partition("/")[0]
        host = _written(whole.removeprefix(f"{_ANYTHING}.").strip(".").lower())
        below = self.is_domain or whole != host
        one_label = bool(host) and host != "localhost" and not set(host) & set(".:*")
        return is_public_suffix(host) or (below and one_label)

    def covers(self, url: str) -> bool:
        """Whether it covers a URL from outside, which may be malformed."""
        return self.covers_address(ParsedUrl(url))

    def covers_address(self, address: ParsedUrl) -> bool:
        """The same for a URL that is compared with many patterns."""
        if self.is_domain:
            host, own = address.host, self.host or ""
            return host == own or host.endswith(f".{own}")
        if self.host and self.host != address.host:
            return False
        if self._whole is not None and _fits(self._whole, address.normalized):
            return True
        if self._authority is None or not _fits(self._authority, address.authority):
            return False
        return self._path is None or _fits(self._path, address.normalized[len(address.authority) :])

    def __str__(self) -> str:
        return self.text


def _url_target(text: str) -> UrlPattern:
    scheme, mark, rest = text.partition("://")
    if not mark:
        scheme, rest = "https", text
    scheme = "https" if scheme == _ANYTHING else scheme.lower()
    normalized = normalize_url(f"{scheme}://{rest}")
    if "://" in normalized:  # not a web address; compared as it is
        return UrlPattern(text, is_domain=False, host=None, _whole=_parts(text))
    if rest.startswith(f"{_ANYTHING}/"):  # on any host
        return UrlPattern(text, is_domain=False, host=None, _whole=_parts(normalized))
    authority, _, path = normalized.partition("/")
    host = None if _ANYTHING in authority else _written(host_of(f"//{authority}"))
    parts = _parts(authority)
    if set(rest) & set("/?#"):
        path = f"/{path}"
        return UrlPattern(text, is_domain=False, host=host, _authority=parts, _path=_parts(path))
    if host or _is_site(rest):
        return UrlPattern(text, is_domain=False, host=host, _authority=parts)
    # A host; or, as no host is called `*.jpg`, every URL that it matches
    anywhere = _parts(normalize_url(f"https://x/{rest}").removeprefix("x/"))
    return UrlPattern(text, is_domain=False, host=None, _whole=anywhere, _authority=parts)


def _is_site(pattern: str) -> bool:
    """Whether a pattern such as `*.example.com` ends like the name of a site, not of a file."""
    host = f"one.two{pattern.rpartition(_ANYTHING)[2]}"
    return registrable_domain(f"//{host}") != host


def _parts(pattern: str) -> tuple[str, ...]:
    return tuple(pattern.split(_ANYTHING))


def _fits(parts: tuple[str, ...], text: str) -> bool:
    """Whether the parts occur in a text in this order, the first and last at its ends.

    Taking the first place where a part fits is enough, so this does not backtrack.
    """
    if len(parts) == 1:
        return text == parts[0]
    first, *inner, last = parts
    end = len(text) - len(last)
    if not (text.startswith(first) and text.endswith(last)):
        return False
    at = len(first)
    for part in inner:
        position = text.find(part, at, end)
        if position < 0:
            return False
        at = position + len(part)
    return at <= end


def _domain(text: str) -> str:
    """The host that a domain's name stands for; "" if it is not a valid name or IP address."""
    bare = text.removeprefix("[").removesuffix("]")
    if _is_ip(bare):
        return _written(bare)
    name = text.rstrip(".").lower()
    labels = name.split(".")
    if not all(labels) or len(name) > MAX_NAME or set(name) & _NOT_IN_DOMAINS:
        return ""
    return _written(name) if name.isprintable() else ""


def _written(host: str) -> str:
    """A host in punycode; unchanged if it cannot be encoded."""
    if ":" in host:
        return ipaddress.ip_address(host).compressed if _is_ip(host) else host
    return ascii_host(host)


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
