"""From names to addresses, and whether a name that was not found can be believed to be none."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from batchscan.web_client.fetch_results import FailureKind, FetchError

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""Resolves a name and a port to addresses; raises `socket.gaierror`."""

CONTROL_NAME: Final = "api.copyleaks.com"
"""Found whenever names can be looked up at all."""

_BELIEVED: Final = 10.0  # seconds since a name was found: a machine may go offline at any time
_NEVER_GIVEN_OUT: Final = frozenset({"invalid", "test", "example"})  # RFC 6761


async def system_lookup(host: str, port: int) -> Sequence[str]:
    """Ask the system."""
    loop = asyncio.get_running_loop()
    infos = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in infos))


class Names:
    """Looks up names, and checks whether lookups work on this machine.

    Args:
        lookup: from a name to addresses.
        now: seconds that never go back.
    """

    def __init__(self, lookup: Lookup, now: Callable[[], float] = time.monotonic) -> None:
        self._lookup = lookup
        self._now = now
        self._worked_at = float("-inf")

    async def addresses_of(self, host: str, port: int) -> Sequence[str]:
        """The addresses of a name; a literal address is its own.

        Raises:
            FetchError: there is no such name, or it cannot be looked up now.
        """
        if _is_literal(host):
            return [host]
        try:
            addresses = await self._lookup(host, port)
        except UnicodeError:
            raise FetchError(FailureKind.ADDRESS, "the address's host is damaged") from None
        except OSError as error:
            if getattr(error, "errno", None) == socket.EAI_NONAME and await self._is_sure(host):
                raise FetchError(FailureKind.NO_SUCH_NAME, f"unknown host {host}") from error
            raise FetchError(FailureKind.DNS, f"the name {host} cannot be looked up now") from error
        self._worked_at = self._now()
        return addresses

    async def _is_sure(self, host: str) -> bool:
        """Whether the name does not exist, rather than this machine being offline."""
        fresh = self._now() - self._worked_at < _BELIEVED
        if fresh or host.rstrip(".").rpartition(".")[2].lower() in _NEVER_GIVEN_OUT:
            return True
        try:
            addresses = await self._lookup(CONTROL_NAME, 443)
        except OSError:
            return False
        if addresses:
            self._worked_at = self._now()
        return bool(addresses)


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
