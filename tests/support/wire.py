"""A wire between the client and the emulator that breaks where it is told, byte by byte."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from urllib.parse import urlsplit

_NO_LINGER = struct.pack("ii", 1, 0)


class Passage:
    """One request on its way, for a script to let through or to break."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._port = port

    async def some(self) -> bytes:
        """The first bytes of the request, and no more."""
        return await self._reader.readexactly(100)

    async def request(self) -> bytes:
        """The whole request; the emulator does not see it."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                return head + await self._reader.readexactly(int(line.split(b":")[1]))
        return head

    async def answered(self) -> bytes:
        """The emulator's whole answer; the client does not see it yet."""
        request = await self.request()
        head, end, body = request.partition(b"\r\n\r\n")
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(head + b"\r\nConnection: close" + end + body)
        answer = await reader.read()
        writer.close()
        return answer

    async def say(self, answer: bytes) -> None:
        """Send this to the client."""
        self._writer.write(answer)
        await self._writer.drain()

    async def drip(self, answer: bytes, seconds: float) -> None:
        """Send this to the client byte by byte."""
        for byte in answer:
            await self.say(bytes([byte]))
            await asyncio.sleep(seconds)

    async def stall(self) -> None:
        """Say nothing until the client has left."""
        while await self._reader.read(65536):
            pass

    async def silence(self) -> None:
        """Do not even read, until the wire is taken down."""
        await asyncio.Event().wait()

    def cut(self) -> None:
        """Cut the connection with a TCP reset."""
        connection = self._writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self._writer.transport.abort()


Script = Callable[[Passage], Awaitable[None]]


async def let_through(passage: Passage) -> None:
    await passage.say(await passage.answered())


class Wire:
    """Listens in front of an emulator; each connection is one request, and follows a script.

    The scripts of `once` are for the first requests, one each, `script` is for all others.
    """

    def __init__(self, url: str, tls: ssl.SSLContext | None = None) -> None:
        self._upstream = urlsplit(url).port or 0
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.script: Script = let_through
        self.once: list[Script] = []
        self.under_way: list[int] = []  # at the start of each request, itself included

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}"

    def api(self, **changes: object) -> dict[str, object]:
        """Settings of `api` by which checks and the balance go over this wire; logins do not."""
        return {"url": self.url, **changes}

    async def up(self) -> None:
        """Listen, at the same port as before."""
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self.port, ssl=self._tls
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def down(self) -> None:
        """Refuse connections."""
        if self._server is not None:
            self._server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._server.wait_closed()
            self._server = None

    async def __aenter__(self) -> Wire:
        await self.up()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.down()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.under_way.append(len(self._tasks))
        script = self.once.pop(0) if self.once else self.script
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await script(Passage(reader, writer, self._upstream))
        finally:
            writer.close()
            self._tasks.discard(task)
