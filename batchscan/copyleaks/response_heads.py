"""Making the head of a response readable that aiohttp's parser would refuse.

It refuses the whole answer, which is paid for, because of one header line. What cannot be a header
is left out, and lengths that contradict each other are none: the body then ends with the connection.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from batchscan.copyleaks.response_end import END_OF_HEAD, INTERIM, LENGTH, MAX_HEAD

_BEGINS_HEAD = re.compile(rb"(H(T(T(P(/.*)?)?)?)?)?", re.DOTALL | re.IGNORECASE)
_STATUS = re.compile(rb"HTTP/[\d.]{1,3} +(\d{3})(?!\d)", re.IGNORECASE)
_READABLE_STATUS = re.compile(rb"HTTP/1\.[01] \d{3}( [^\0]*)?")
_BEGINS_ANSWER = re.compile(rb"\s*\{|\x1f\x8b")  # JSON, or packed
_FRAMES = re.compile(rb"(content-length|transfer-encoding):", re.IGNORECASE)
_FIELD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\0-\x08\x0b-\x1f\x7f]*")
_MOST_FIELDS = 100  # that are kept; aiohttp refuses more than 128


class ResponseHeads:
    """Holds the bytes of a head until it is whole; all others pass unchanged."""

    def __init__(self) -> None:
        self._held = b""
        self._passes = False

    @property
    def is_interim(self) -> bool:
        """Whether nothing is held but the start of a 1xx response."""
        return not self._held or bool(INTERIM.match(self._held))

    def feed(self, data: bytes) -> list[bytes]:
        """The bytes to parse, a head apart from what follows it.

        If the parser fails at the body, it still gives the head away.
        """
        pieces = []
        while data and not self._passes:
            self._held, data = (self._held + data).lstrip(b"\r\n"), b""
            end = END_OF_HEAD.search(self._held)
            if end is not None:
                head, data, self._held = self._held[: end.start()], self._held[end.end() :], b""
                pieces.append(readable(head, followed=bool(_BEGINS_ANSWER.match(data))))
                self._passes = not INTERIM.match(head)
            elif len(self._held) > MAX_HEAD or not _BEGINS_HEAD.fullmatch(self._held):
                data, self._held, self._passes = self._held, b"", True
        return [*pieces, data] if data else pieces


def readable(head: bytes, *, followed: bool = False) -> bytes:
    """A head, given without the empty line at its end, in a form that the parser accepts.

    If it is followed by the start of an answer, it does not say that there is none.
    """
    first, *lines = (line.removesuffix(b"\r") for line in head.split(b"\n"))
    status = _STATUS.match(first)
    if status is not None and not _READABLE_STATUS.fullmatch(first):
        first = b"HTTP/1.1 " + status[1]
    fields = [line for line in lines if _FIELD.fullmatch(line)]
    lengths, codings = (
        [field for field in fields if field.lower().startswith(name)]
        for name in (b"content-length:", b"transfer-encoding:")
    )
    if followed and set(_values(lengths)) == {b"0"}:
        lengths = []
    others = [field for field in fields if not _FRAMES.match(field)]
    return b"\r\n".join([first, *others[:_MOST_FIELDS], *_framing(lengths, codings), b"", b""])


def _framing(lengths: Sequence[bytes], codings: Sequence[bytes]) -> list[bytes]:
    """What is said of the body's end, if that is one thing."""
    named = [name for name in _values(codings) if name not in (b"", b"identity")]
    if named:  # `gzip, chunked` too: what is packed is known by its first bytes
        return [b"Transfer-Encoding: chunked"] if named[-1] == b"chunked" else []
    numbers = set(_values(lengths))
    if len(numbers) == 1 and LENGTH.fullmatch(number := numbers.pop()):
        return [b"Content-Length: " + number]
    return []


def _values(fields: Sequence[bytes]) -> list[bytes]:
    values = (field.partition(b":")[2].lower().split(b",") for field in fields)
    return [value.strip() for parts in values for value in parts]
