"""Web addresses from outside, parsed and checked before they are requested."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

import yarl

from batchscan.web_client.fetch_results import FailureKind, FetchError

MAX_URL: Final = 8_192  # characters
_PORTS: Final = frozenset({80, 443})
# What stays as it is, for a signature may be made over it; the rest is quoted as browsers do.
_STAYS: Final = "!#$%&'()*+,-./:;=?@[]_~"
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_AUTHORITY: Final = re.compile(r"(?i)https?://([^/?#]*)")


@dataclass(frozen=True, slots=True)
class Target:
    """An http or https address whose host is known."""

    url: yarl.URL
    host: str  # without brackets; international names in punycode
    port: int

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return str(self.url.origin())

    @property
    def site(self) -> str:
        """The host in lower case; requests to one site are spaced."""
        return self.host.lower().rstrip(".")

    @property
    def has_usual_port(self) -> bool:
        """Whether it is one of the web's."""
        return self.port in _PORTS


def target_of(text: str) -> Target:
    """Understand an address.

    Raises:
        FetchError: it is not a web address that may be requested.
    """
    text = text.strip()
    if len(text) > MAX_URL:
        raise _refused(f"the address is longer than {MAX_URL:,} characters")
    if (match := _AUTHORITY.match(text)) is None:
        raise _refused("only http:// and https:// addresses are requested")
    authority = match[1]
    if "@" in authority:
        raise _refused("the address holds a user's name or password")
    if not authority.isprintable() or " " in authority or "\\" in authority:
        raise _refused("the address's host is damaged")
    try:
        origin = yarl.URL(match[0]).origin()
        rest = text[match.end() :].partition("#")[0]
        url = yarl.URL(f"{origin}{_quoted(rest)}", encoded=True)
        host, port = url.raw_host, url.port
    except (ValueError, IndexError, UnicodeError):
        raise _refused("the address is damaged") from None
    if not host or not port:
        raise _refused("the address's host is missing")
    return Target(url, host, port)


def redirected(base: Target, location: str) -> Target:
    """The target of a redirect.

    Raises:
        FetchError: its address may not be requested.
    """
    try:
        if location.startswith("//"):
            return target_of(f"{base.url.scheme}:{location}")
        if _SCHEME.match(location):
            return target_of(location)
        joined = str(base.url.join(yarl.URL(_quoted(location), encoded=True)))
    except (ValueError, IndexError, UnicodeError):
        raise FetchError(FailureKind.BAD_RESPONSE, "it redirects to a damaged address") from None
    return target_of(joined)


def _quoted(text: str) -> str:
    return quote(text, safe=_STAYS)


def _refused(why: str) -> FetchError:
    return FetchError(FailureKind.ADDRESS, why)
