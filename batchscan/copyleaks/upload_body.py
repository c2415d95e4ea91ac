"""The body of a request for aiohttp: of known length, not copied, and tracked while it is sent."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

from batchscan.copyleaks.requests import Multipart

CHUNK = 256 * 1024  # bytes written at once


class UploadBody(Payload):
    """A request's body that records whether it was sent completely."""

    _autoclose = True  # there is nothing to close

    def __init__(
        self,
        body: bytes | Multipart,
        leaving: Callable[[], None] | None,
        going_on: Callable[[], None],
    ) -> None:
        """Wrap a body.

        Args:
            body: what to send.
            leaving: called before the first byte of the request is sent.
            going_on: called at the start, after each 256 KiB, and after the last byte.
        """
        super().__init__(body, content_type="application/octet-stream")
        self._pieces = (
            (body.head, body.image, body.tail) if isinstance(body, Multipart) else (body,)
        )
        self._size = sum(map(len, self._pieces))
        self._leaving = leaving
        self._going_on = going_on
        self.sent = False
        self.answered_early = False  # whether a response began before the last byte was sent

    def note_answer(self) -> None:
        """Record that the response has begun."""
        self.answered_early = self.answered_early or not self.sent

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:  # noqa: ARG002
        """Refuse: aiohttp decodes payloads only to show them."""
        raise TypeError("a picture is no text")

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Write the whole body."""
        if self._leaving is not None:  # aiohttp sends the headers with the first piece
            self._leaving()
        self._going_on()
        for piece in self._pieces:
            view = memoryview(piece)
            for start in range(0, len(view), CHUNK):
                if start:
                    self._going_on()
                await writer.write(view[start : start + CHUNK])
        self.sent = True
        self._going_on()

    async def write_with_length(
        self,
        writer: AbstractStreamWriter,
        content_length: int | None,  # noqa: ARG002 - ours is always the whole
    ) -> None:
        """Write the whole body."""
        await self.write(writer)
