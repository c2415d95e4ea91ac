"""An HTTP proxy on loopback that connects a browser to public addresses only.

A browser connects wherever a page sends it, so it gets no other way out. Names are resolved here,
and the checked address is the one connected to; TLS is passed through.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from batchscan.web_client import ConnectTo
from batchscan.web_client.addresses import is_public
from batchscan.web_client.fetch_results import FetchError
from batchscan.web_client.lookup import Lookup, Names, system_lookup

MAX_BYTES: Final = 60_000_000
"""The most bytes that all connections of one browser receive together."""

MAX_CONNECTIONS: Final = 64
_MAX_HEAD: Final = 65_536  # bytes
_PIECE: Final = 65_536  # bytes
_SECONDS: Final = 15.0  # for a head, and for connecting
_PORTS: Final = frozenset({80, 443})
_DROPPED: Final = (b"proxy-", b"connection:", b"keep-alive:")


class _NotAllowed(Exception):
    """The requested address is not allowed; the message has the reason."""


@dataclass(slots=True)
class FilteringProxy:
    """A proxy that connects to public addresses only, and counts what goes through it.

    Args:
        connect_to: overrides of addresses: the only way to a private one.
        lookup: resolves names.
    """

    connect_to: ConnectTo = field(default_factory=ConnectTo)
    lookup: Lookup = system_lookup
    refused: list[str] = field(default_factory=list)  # hosts that were not connected to
    port: int = 0
    _left: int = MAX_BYTES
    _busy: int = 0

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[int]:
        """Serve on a free port during the block."""
        tasks: set[asyncio.Task[None]] = set()

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            if task is not None:
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            # Python 3.11 logs a traceback for each connection that ends as cancelled.
            with suppress(asyncio.CancelledError):
                await self._serve(reader, writer)

        server = await asyncio.start_server(accept, "127.0.0.1", 0, limit=_MAX_HEAD)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self.port
        finally:
            server.close()
            for task in list(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._busy += 1
        try:
            if self._busy <= MAX_CONNECTIONS:
                await self._answer(reader, writer)
        except (
            OSError,
            ValueError,
            TimeoutError,
            asyncio.IncompleteReadError,
            asyncio.LimitOverrunError,
        ):
            pass  # the browser, or the site, is gone
        finally:
            self._busy -= 1
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
        try:
            host, port, first = _asked(head)
            upstream = await self._connect(host, port)
        except (_NotAllowed, FetchError) as error:
            self.refused.append(str(error))
            writer.write(
                b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            await writer.drain()
            return
        to_site, from_site = upstream[1], upstream[0]
        try:
            if first is None:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                to_site.write(first)
            await self._both_ways((reader, writer), (from_site, to_site))
        finally:
            to_site.close()

    async def _connect(
        self, host: str, port: int
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to a checked address.

        Raises:
            _NotAllowed: none of the name's addresses is allowed.
        """
        names = Names(self.lookup)
        elsewhere = self.connect_to.lookup(host, port)
        if elsewhere is not None:
            host, port = elsewhere
            addresses: Sequence[str] = await names.addresses_of(host, port)
        elif port not in _PORTS:
            raise _NotAllowed(f"{host}:{port}")
        else:
            resolved = await names.addresses_of(host, port)
            addresses = [address for address in resolved if is_public(address)]
        if not addresses:
            raise _NotAllowed(host)
        async with asyncio.timeout(_SECONDS):
            return await asyncio.open_connection(addresses[0], port)

    async def _both_ways(
        self,
        browser: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        site: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        """Copy bytes in both directions until one side closes."""
        there = asyncio.create_task(self._pass(browser[0], site[1]))
        back = asyncio.create_task(self._pass(site[0], browser[1]))
        try:
            await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
            if there.done() and not back.done():  # the request is complete, the answer is not
                await back
        finally:
            there.cancel()
            back.cancel()
            await asyncio.gather(there, back, return_exceptions=True)

    async def _pass(self, source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        while self._left > 0 and (piece := await source.read(_PIECE)):
            self._left -= len(piece)
            to.write(piece)
            await to.drain()


def _asked(head: bytes) -> tuple[str, int, bytes | None]:
    """Host and port of a request, and its head as the site gets it; None to pass on what follows.

    Raises:
        _NotAllowed: it is not a valid proxy request.
    """
    line, _, rest = head.partition(b"\r\n")
    words = line.decode("latin-1").split(" ")
    if len(words) != 3:  # noqa: PLR2004 - as HTTP has it
        raise _NotAllowed("no request")
    method, target, version = words
    try:
        if method == "CONNECT":
            parts = urlsplit(f"//{target}")
            return parts.hostname or "", parts.port or 443, None
        parts = urlsplit(target)
        host, port = parts.hostname or "", parts.port or 80
    except ValueError:
        raise _NotAllowed("a damaged address") from None
    if parts.scheme != "http" or not host or "@" in parts.netloc:
        raise _NotAllowed(f"{parts.scheme}://{host}")
    path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    headers = [
        header
        for header in rest.split(b"\r\n")
        if header and not header.lower().startswith(_DROPPED)
    ]
    first = f"{method} {path} {version}".encode("latin-1")
    return host, port, b"\r\n".join([first, *headers, b"Connection: close", b"", b""])
