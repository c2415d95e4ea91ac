"""Decompressing a body by its first byte: proxies unpack or pack answers and keep the header.

No JSON begins like a compressed body, in any encoding.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

STEP = 1024 * 1024  # decompressed bytes at once, at most
_GZIP, _ZLIB, _RAW = 31, 15, -15  # zlib's names for the formats
_FIRST_OF_GZIP = 0x1F
_ZLIBS_METHOD = 8  # the lower half of its first byte
_OBJECT = ord("{")


class Unpacker:
    """Decompresses one body as it arrives; what is not compressed stays as it is."""

    def __init__(self, encoding: str) -> None:
        """Start; `encoding` is the header Content-Encoding, which only distinguishes deflate from text."""
        self._deflate = "deflate" in encoding.lower()
        self._begun = False
        self._format: int | None = None
        self._stream = zlib.decompressobj()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The next part, in pieces.

        Raises:
            zlib.error: it is damaged.
        """
        if not self._begun:
            self._begun = True
            self._format = self._format_of(data[0])
            if self._format is not None:
                self._stream = zlib.decompressobj(self._format)
        if self._format is None:
            yield data
            return
        while True:
            piece = self._stream.decompress(data, STEP)
            yield piece
            data = self._stream.unconsumed_tail
            if self._stream.eof and self._stream.unused_data:  # another member of a gzip file
                data = self._stream.unused_data
                self._stream = zlib.decompressobj(self._format)
            elif not data and len(piece) < STEP:
                return

    def _format_of(self, first: int) -> int | None:
        if first == _FIRST_OF_GZIP:
            return _GZIP
        if not self._deflate or first == _OBJECT:
            return None
        return _ZLIB if first & 0xF == _ZLIBS_METHOD else _RAW
