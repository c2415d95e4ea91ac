"""Connections that are kept, as long as nothing but answers came over them."""

from __future__ import annotations

import select
from typing import TYPE_CHECKING
from weakref import WeakSet

import aiohttp

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.client_reqrep import ClientRequest
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace


class Connections(aiohttp.TCPConnector):
    """Hands out no kept connection on which bytes wait: they would be taken for the next answer."""

    def __init__(self, *, limit: int, force_close: bool) -> None:
        """Keep `limit` connections at most; with `force_close` none is used twice."""
        super().__init__(limit=limit, force_close=force_close)
        self._used: WeakSet[ResponseHandler] = WeakSet()

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's
    ) -> Connection:
        """A connection for a request."""
        while True:
            connection = await super().connect(req, traces, timeout)
            protocol = connection.protocol
            if protocol is None or protocol not in self._used:
                break
            if not protocol.should_close and not _readable(connection):
                return connection
            connection.close()
        if protocol is not None:
            self._used.add(protocol)
        return connection


def _readable(connection: Connection) -> bool:
    """Whether bytes, or its end, wait in the system for a connection on which nothing was asked."""
    transport = connection.transport
    socket = transport.get_extra_info("socket") if transport is not None else None
    if socket is None or socket.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(socket.fileno(), select.POLLIN)
    return bool(poll.poll(0))
