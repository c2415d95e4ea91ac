"""Keep-alive connections that are dropped once they carry more than the expected answer."""

from __future__ import annotations

import asyncio
import select
from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakSet

import aiohttp
from aiohttp.client_proto import ResponseHandler

from batchscan.copyleaks.awake_timeout import AwakeTimeout
from batchscan.copyleaks.response_end import ResponseEnd
from batchscan.copyleaks.response_heads import ResponseHeads
from batchscan.copyleaks.upload_body import UploadBody

if TYPE_CHECKING:
    from aiohttp.client_reqrep import ClientRequest
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace


STEPS = 3  # of setting up a connection: two addresses or a proxy, and TLS


class OneAnswer(ResponseHandler):
    """Accepts one answer for each request; the connection is not reused once more bytes came.

    Bytes after an answer are not even parsed: in the same read as its last bytes they would make
    aiohttp discard the answer, which is paid for.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start without a request in flight."""
        super().__init__(loop)
        self.body: UploadBody | None = None
        self._end: ResponseEnd | None = None
        self._heads = ResponseHeads()

    def set_response_params(self, **changes: Any) -> None:  # noqa: ANN401 - aiohttp's
        """Accept an answer: a request is about to be sent."""
        self._end = ResponseEnd()
        self._heads = ResponseHeads()
        super().set_response_params(**changes)

    def data_received(self, data: bytes) -> None:
        """Parse the bytes that belong to the answer."""
        if self._end is None or self._upgraded or not data:
            super().data_received(data)
            return
        for piece in self._heads.feed(data):
            mine = self._end.feed(piece)
            if mine < len(piece):
                self.force_close()
            if mine:
                super().data_received(piece[:mine])
        interim = self._end.is_interim and self._heads.is_interim
        if self.body is not None and not interim:
            self.body.note_answer()

    @property
    def has_unread(self) -> bool:
        """Whether bytes or the end of the connection are waiting, or were read already."""
        transport = self.transport
        socket = transport.get_extra_info("socket") if transport is not None else None
        if socket is None or socket.fileno() < 0:
            return True
        poll = select.poll()
        poll.register(socket.fileno(), select.POLLIN)
        return bool(self._tail or poll.poll(0))


async def all_that_came(stream: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """The bytes of a body, also those before a mistake in how it was sent, which aiohttp discards.

    Raises:
        ClientPayloadError: the body is not whole.
    """
    try:
        async for chunk in stream.iter_any():
            yield chunk
    except aiohttp.ClientError as error:
        if stream._buffer:  # noqa: SLF001 - a test checks that this works
            yield b"".join(stream._buffer)  # noqa: SLF001
        raise (
            error if isinstance(error, aiohttp.ClientPayloadError) else aiohttp.ClientPayloadError()
        ) from error


class CheckedConnector(aiohttp.TCPConnector):
    """Reuses no connection with unread bytes: they would be taken for the next answer."""

    def __init__(self, *, limit: int, force_close: bool, connect_timeout: float) -> None:
        """Configure the pool.

        Args:
            limit: connections at most.
            force_close: whether to use each only once.
            connect_timeout: seconds for one step: to an address or a proxy, and TLS through that.
        """
        super().__init__(limit=limit, force_close=force_close)
        self._step_timeout = connect_timeout
        # aiohttp has no public way to choose the protocol; a test checks that this works.
        self._factory = cast("partial[ResponseHandler]", partial(OneAnswer, loop=self._loop))
        self._used: WeakSet[ResponseHandler] = WeakSet()

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's
    ) -> Connection:
        """A connection for a request.

        Raises:
            ClientConnectionError: the service sent bytes before the request.
        """
        while True:
            connection = await super().connect(req, traces, timeout)
            protocol = connection.protocol
            assert isinstance(protocol, OneAnswer)  # noqa: S101 - our factory's
            fresh = protocol not in self._used
            # Bytes on a new connection, unless they belong to TLS, would be taken for the answer.
            unread = protocol.should_close or (protocol.has_unread and not (fresh and req.is_ssl()))
            if not unread:
                break
            connection.close()
            if fresh:
                raise aiohttp.ClientConnectionError("bytes came before the request was sent")
        self._used.add(protocol)
        protocol.body = req.body if isinstance(req.body, UploadBody) else None
        return connection

    async def _create_connection(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's
    ) -> ResponseHandler:
        """Connect in a few steps; a connection that was kept needs none, and no timer."""
        async with AwakeTimeout() as timer:
            timer.allow(STEPS * self._step_timeout)
            return await super()._create_connection(req, traces, timeout)

    async def _wrap_create_connection(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - aiohttp's
        """Connect to one address or proxy; the timeout counts only time in which we ran."""
        async with AwakeTimeout() as timer:
            timer.allow(self._step_timeout)
            return await super()._wrap_create_connection(*args, **options)
