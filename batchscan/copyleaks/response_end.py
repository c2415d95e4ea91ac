"""Finding the end of an HTTP/1.1 response in the bytes of a connection."""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus

MAX_HEAD = (
    256 * 1024
)  # bytes of a head or a chunk's line; after more, the end is not searched any further
END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_END_OF_LINE = re.compile(rb"\n")
_STATUS = re.compile(rb"HTTP/1\.\d (\d{3})\b")
INTERIM = re.compile(rb"HTTP/1\.\d 1")
LENGTH = re.compile(rb"\d{1,18}")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(;|$)")


class ResponseEnd:
    """Scans the bytes of one response for its end.

    It validates nothing: in malformed bytes it finds no end, and the parser reports the error.
    """

    def __init__(self) -> None:
        self._step: Callable[[bytes, int], int] = self._head
        self._collected = b""
        self._left = 0
        self.reached = False

    @property
    def is_interim(self) -> bool:
        """Whether nothing has arrived but 1xx responses, such as `100 Continue`; no answer begins so."""
        before_head = self._step == self._head and not self.reached
        return before_head and (not self._collected or bool(INTERIM.match(self._collected)))

    def feed(self, data: bytes) -> int:
        """How many of these bytes belong to the response."""
        at = 0
        while at < len(data) and not self.reached:
            at = self._step(data, at)
        return at

    def _head(self, data: bytes, at: int) -> int:
        head, at = self._take(END_OF_HEAD, data, at)
        if head is None:
            return at
        first, *lines = head.split(b"\n")
        status = _STATUS.match(first)
        if status is None or int(status[1]) == HTTPStatus.SWITCHING_PROTOCOLS:
            self._step = _endless
        elif int(status[1]) >= HTTPStatus.OK:  # after 1xx another head follows
            self._start_body(int(status[1]), lines)
        return at

    def _start_body(self, status: int, lines: list[bytes]) -> None:
        fields = [line.partition(b":") for line in lines]
        values = [(name.strip().lower(), value.strip()) for name, _, value in fields]
        codings = [value.lower() for name, value in values if name == b"transfer-encoding"]
        lengths = {value for name, value in values if name == b"content-length"}
        if status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
            self.reached = True
        elif codings:
            self._step = self._chunk_line if codings == [b"chunked"] else _endless
        elif len(lengths) == 1 and LENGTH.fullmatch(length := lengths.pop()):
            self._left, self._step = int(length), self._body
            self.reached = self._left == 0
        else:
            self._step = _endless

    def _body(self, data: bytes, at: int) -> int:
        at = self._skip(data, at)
        self.reached = self._left == 0
        return at

    def _chunk_line(self, data: bytes, at: int) -> int:
        line, at = self._take(_END_OF_LINE, data, at)
        if line is None:
            return at
        size = _CHUNK.match(line.rstrip(b"\r"))
        if size is None:
            self._step = _endless
        elif (left := int(size[1], 16)) > 0:
            self._left, self._step = left, self._chunk
        else:
            self._step = self._trailer
        return at

    def _chunk(self, data: bytes, at: int) -> int:
        at = self._skip(data, at)
        if self._left == 0:
            self._step = self._after_chunk
        return at

    def _after_chunk(self, data: bytes, at: int) -> int:
        line, at = self._take(_END_OF_LINE, data, at)
        if line is not None:
            self._step = _endless if line.rstrip(b"\r") else self._chunk_line
        return at

    def _trailer(self, data: bytes, at: int) -> int:
        line, at = self._take(_END_OF_LINE, data, at)
        self.reached = line is not None and not line.rstrip(b"\r")
        return at

    def _skip(self, data: bytes, at: int) -> int:
        count = min(self._left, len(data) - at)
        self._left -= count
        return at + count

    def _take(self, end: re.Pattern[bytes], data: bytes, at: int) -> tuple[bytes | None, int]:
        """The bytes before `end`, or None if it has not arrived; and where to continue."""
        before = len(self._collected)
        self._collected += data[at : at + MAX_HEAD]
        match = end.search(self._collected)
        if match is not None:
            taken, self._collected = self._collected[: match.start()], b""
            return taken, at + match.end() - before
        if len(self._collected) >= MAX_HEAD:
            self._step = _endless
        return None, len(data)


def _endless(data: bytes, at: int) -> int:  # noqa: ARG001 - a step like the others
    return len(data)
