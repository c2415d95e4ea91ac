"""The results of fetching an address: what was received, or why it failed."""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import quote

Headers = tuple[tuple[bytes, bytes], ...]
"""Names and values as they were received, in their order."""


class FailureKind(StrEnum):
    """Why an address could not be had. None of these but `NO_SUCH_NAME` says that it is gone."""

    ADDRESS = "address"  # ours to refuse: not public, another port, another scheme, a user's name
    NO_SUCH_NAME = "no_such_name"
    DNS = "dns"  # the name could not be looked up now
    CONNECTION = "connection"
    TLS = "tls"
    TIMEOUT = "timeout"
    TOO_LARGE = "too_large"
    BAD_RESPONSE = "bad_response"  # no HTTP, cut short, or not what its headers say
    REDIRECTS = "redirects"  # too many of them
    ROBOTS = "robots"  # its robots.txt asks us to stay away, or cannot be had
    CHALLENGE = "challenge"  # a page for people is shown instead


@dataclass(frozen=True, slots=True)
class Hop:
    """One request and its response."""

    url: str
    ip: str  # that was connected to
    at: float  # seconds since 1970, when it was asked
    request_headers: tuple[tuple[str, str], ...]
    version: str  # "1.1"
    status: int
    reason: str
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)  # as transferred: still compressed
    complete: bool = True  # False: what is over the limit was not read

    def header(self, name: str) -> str | None:
        """The first value of a header, by its name in lower case."""
        return next((value.decode("utf-8", "replace") for value in self._values(name)), None)

    def listed(self, name: str) -> str:
        """All values of a header that is a list, however many lines it has; "" without one."""
        return ", ".join(value.decode("utf-8", "replace") for value in self._values(name))

    @property
    def location(self) -> str | None:
        """The Location header; None without one."""
        value = next(self._values("location"), None)
        if value is None:
            return None
        try:
            return value.decode()
        except UnicodeDecodeError:  # as browsers do: other letters would be another address
            return quote(value, safe=string.punctuation + string.digits)

    def _values(self, name: str) -> Iterator[bytes]:
        wanted = name.encode("ascii")
        return (value.strip() for key, value in self.headers if key.lower() == wanted)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A final response, with any status."""

    url: str  # that was asked for
    hops: tuple[Hop, ...]  # redirects first, the final response last
    body: bytes = field(repr=False)  # decoded

    @property
    def final(self) -> Hop:
        """The response that is not a redirect."""
        return self.hops[-1]

    @property
    def status(self) -> int:
        """The final response's status."""
        return self.hops[-1].status


@dataclass(frozen=True, slots=True)
class Failure:
    """There is no final response, or none that may be used."""

    url: str  # that was asked for
    kind: FailureKind
    detail: str  # one sentence without a full stop
    hops: tuple[Hop, ...] = ()  # what was received before; its last may be what was refused

    @property
    def status(self) -> int | None:
        """The last status that was received."""
        return self.hops[-1].status if self.hops else None


class Stopped(Exception):
    """The client was stopped: no new requests; those under way are finished."""


class FetchError(Exception):
    """Inside of this package: what becomes a `Failure`."""

    def __init__(self, kind: FailureKind, detail: str, hop: Hop | None = None) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.hop = hop
