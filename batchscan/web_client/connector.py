"""Connections for one request, to IP addresses that are checked twice."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

if TYPE_CHECKING:
    from aiohttp.client_reqrep import ClientRequest
    from aiohttp.connector import AddrInfoType, Connection
    from aiohttp.tracing import Trace

Permits = Callable[[str, int], bool]
"""Whether an address and port may be connected to."""


class AddressRefused(OSError):
    """An address that may not be connected to reached the point where its socket is made."""


class _Fixed(AbstractResolver):
    """Returns the addresses that were looked up before: a second lookup could differ."""

    def __init__(self, addresses: Sequence[str], port: int) -> None:
        self._addresses = addresses
        self._port = port

    async def resolve(
        self,
        host: str,
        port: int = 0,  # noqa: ARG002 - aiohttp's
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 - aiohttp's
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=self._port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in self._addresses
        ]

    async def close(self) -> None:
        """Do nothing: no resource is held."""


class GuardedConnector(aiohttp.TCPConnector):
    """Connects once, for one request.

    Args:
        addresses: to connect to, in this order.
        port: of theirs.
        permits: asked where each socket is made and again when it is connected.
    """

    def __init__(self, addresses: Sequence[str], port: int, permits: Permits) -> None:
        super().__init__(
            resolver=_Fixed(addresses, port),
            use_dns_cache=False,
            force_close=True,
            limit=1,
            socket_factory=self._open,
        )
        self._permits = permits
        self.refused: str | None = None
        self.peer = ""

    def _open(self, info: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        self._check(str(address[0]), int(address[1]))
        return socket.socket(family, kind, protocol)

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's
    ) -> Connection:
        """A connection, if it leads where it may."""
        connection = await super().connect(req, traces, timeout)
        transport = connection.transport
        peer = transport.get_extra_info("peername") if transport is not None else None
        try:
            self._check(str(peer[0]) if peer else "", int(peer[1]) if peer else 0)
        except AddressRefused:
            connection.close()
            raise
        self.peer = str(peer[0]) if peer else ""
        return connection

    def _check(self, address: str, port: int) -> None:
        if not self._permits(address, port):
            self.refused = address
            raise AddressRefused(f"{address} is not a public address")
