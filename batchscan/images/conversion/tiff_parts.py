"""The bytes of a TIFF's pixels, strip by strip or tile by tile, as they were before compression.

Deflate is undone here, in blocks of rows, as files of one strip are common and large. The other
ways of compressing bytes are left to libtiff: each part is made a TIFF of 8-bit grey, in which
Pillow finds the bytes.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

import numpy as np
from PIL import Image

from batchscan.images.conversion.recipe import CannotConvert
from batchscan.images.metadata import ifd

_NONE: Final = 1
_DEFLATE: Final = (8, 32946)
_BY_LIBTIFF: Final = (5, 32773, 34925, 50000)  # LZW, PackBits, LZMA, Zstandard

COMPRESSIONS: Final = frozenset({_NONE, *_DEFLATE, *_BY_LIBTIFF})
"""The lossless compressions that are read in parts."""

_BLOCK: Final = 16 * 1024 * 1024  # bytes that are given at once, where rows are not longer
_LONG: Final = 4  # the type of a tag's value
_INPUT: Final = 1024 * 1024  # bytes of a deflated stream that are read at once
_MAX_PART: Final = 256 * 1024 * 1024  # bytes of a part that is not read in blocks


class Part(NamedTuple):
    """A strip, or a tile."""

    offset: int
    size: int  # as stored
    rows: int
    row_bytes: int  # as they were before

    @property
    def bytes(self) -> int:
        """The size of its uncompressed pixels in bytes."""
        return self.rows * self.row_bytes


class CutOff(Exception):
    """The file ends before its pixels do."""

    def __init__(self) -> None:
        super().__init__("it is cut off or damaged")


def blocks(file: BinaryIO, part: Part, compression: int) -> Iterator[bytes]:
    """The pixels of a strip, whole rows at a time.

    Raises:
        CannotConvert: it takes too much memory.
        CutOff: there are fewer pixels than there should be.
        zlib.error: its pixels are damaged.
    """
    if compression in _BY_LIBTIFF:
        yield pixels_of(file, part, compression)
        return
    if compression == _NONE and part.size < part.bytes:
        raise CutOff
    length = max(1, _BLOCK // part.row_bytes) * part.row_bytes
    file.seek(part.offset)
    stream = _Inflated(file, part.size) if compression in _DEFLATE else file
    for start in range(0, part.bytes, length):
        wanted = min(length, part.bytes - start)
        data = stream.read(wanted)
        if len(data) < wanted:
            raise CutOff
        yield data


def pixels_of(file: BinaryIO, part: Part, compression: int) -> bytes:
    """The pixels of a tile, at once.

    Raises:
        CannotConvert: it takes too much memory.
        CutOff: there are fewer pixels than there should be.
        Exception: whatever the decoder raises over a damaged file.
    """
    if part.bytes > _MAX_PART:
        raise CannotConvert(
            f"a strip or tile of it holds {part.bytes / 1e6:,.0f} MB of pixels; save it with"
            " smaller ones"
        )
    if compression not in _BY_LIBTIFF:
        return b"".join(blocks(file, part, compression))
    file.seek(part.offset)
    grey = _as_grey(file.read(min(part.size, 2 * _MAX_PART)), part, compression)
    with Image.open(io.BytesIO(grey), formats=("TIFF",)) as image:
        return np.asarray(image).tobytes()


class _Inflated:
    """Reads a deflated stream, and decompresses no more at once than is requested."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._left = size  # bytes that were not read as yet
        self._stream = zlib.decompressobj()

    def read(self, size: int) -> bytes:
        """Read `size` bytes; fewer at the end."""
        parts: list[bytes] = []
        while size and not self._stream.eof:
            stored = self._stream.unconsumed_tail
            if not stored:
                stored = self._file.read(min(self._left, _INPUT))
                self._left -= len(stored)
            part = self._stream.decompress(stored, size)
            if not (stored or part):
                break
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


def _as_grey(stored: bytes, part: Part, compression: int) -> bytes:
    """A TIFF whose 8-bit grey pixels are the bytes of a part."""
    values = {
        ifd.WIDTH: part.row_bytes,
        ifd.HEIGHT: part.rows,
        ifd.BITS: 8,
        ifd.COMPRESSION: compression,
        ifd.PHOTOMETRIC: 1,
        ifd.STRIP_OFFSETS: 8,
        ifd.CHANNELS: 1,
        ifd.ROWS_PER_STRIP: part.rows,
        ifd.STRIP_BYTES: len(stored),
    }
    entries = b"".join(
        struct.pack("<HHII", tag, _LONG, 1, value) for tag, value in sorted(values.items())
    )
    start = 8 + len(stored)
    head = struct.pack("<2sHI", b"II", 42, start)
    return head + stored + struct.pack("<H", len(values)) + entries + bytes(4)
