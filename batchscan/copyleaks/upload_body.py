"""A request's body as aiohttp sends it: known in length, never copied, and known to have left."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

from batchscan.copyleaks.requests import Multipart

CHUNK = 256 * 1024  # bytes handed over at once


class UploadBody(Payload):
    """A request's body, which knows whether it has left whole."""

    _autoclose = True  # nothing is held that wants closing

    def __init__(
        self,
        body: bytes | Multipart,
        leaving: Callable[[], None] | None,
        going_on: Callable[[], None],
    ) -> None:
        """Prepare.

        Args:
            body: what to send.
            leaving: called before the first byte of the request leaves.
            going_on: called first, after each 256 KiB, and when the last byte was handed to the system.
        """
        super().__init__(body, content_type="application/octet-stream")
        self._pieces = (
            (body.head, body.image, body.tail) if isinstance(body, Multipart) else (body,)
        )
        self._size = sum(map(len, self._pieces))
        self._leaving = leaving
        self._going_on = going_on
        self.sent = False
        self.answered_early = False  # whether bytes came back before the last byte was handed over

    def note_answer(self) -> None:
        """Bytes of an answer have come."""
        self.answered_early = self.answered_early or not self.sent

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:  # noqa: ARG002
        """Refuse: aiohttp asks payloads for text only to show them."""
        raise TypeError("a picture is no text")

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Hand over all of it."""
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
        """Hand over all of it."""
        await self.write(writer)
