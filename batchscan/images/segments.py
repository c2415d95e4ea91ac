"""Splitting JPEG, PNG, GIF and WebP files into parts, to read or copy some of them.

Only what is needed to find the next part is validated; the caller decides about incomplete or
damaged parts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

SCAN: Final = 0xDA
END: Final = 0xD9
PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
PNG_AROUND: Final = 12
"""Bytes of a PNG chunk beside its content: length, name, checksum."""

GIF_HEADER: Final = 13
"""Bytes of a GIF's signature and screen, before its palette."""

GIF_EXTENSION: Final = 0x21
GIF_FRAME: Final = 0x2C
GIF_TRAILER: Final = 0x3B
GIF_FRAME_HEADER: Final = 10
"""Bytes of a GIF's frame before its palette."""

_ALONE: Final = frozenset({0x01, *range(0xD0, 0xDA)})  # markers without a segment
# The next marker, as libjpeg finds it: bytes that are not a marker are skipped.
_MARKER: Final = re.compile(rb"\xff+([^\x00\xff])", re.DOTALL)
_AFTER_SCAN: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)
_RIFF_HEAD: Final = 8  # name and length


class SegmentCutOff(Exception):
    """A JPEG ends inside a segment's head."""


class Segment(NamedTuple):
    """A JPEG's marker and what belongs to it."""

    marker: int
    start: int  # of the marker, fill bytes included
    content: int  # behind the marker: two bytes of length, and what they count
    end: int  # as claimed; that of `content` for a marker that stands alone

    @property
    def is_alone(self) -> bool:
        """Whether the marker has no segment."""
        return self.marker in _ALONE


class GifBlock(NamedTuple):
    """A block of a GIF, or a byte that is none."""

    introducer: int  # its first byte: GIF_EXTENSION, GIF_FRAME, GIF_TRAILER, or any other
    start: int
    end: int  # as claimed


class Chunk(NamedTuple):
    """A part of a PNG or a WebP file."""

    name: bytes
    start: int
    end: int  # as claimed; of a PNG's chunk behind the checksum, of a WebP's before the padding


def jpeg_segments(data: bytes) -> Iterator[Segment]:
    """The markers of a JPEG with their segments; compressed pixels are passed over.

    Raises:
        SegmentCutOff: the file ends before a segment's length.
    """
    at = 2
    while match := _MARKER.search(data, at):
        marker, at = data[match.start(1)], match.end()
        if marker in _ALONE:
            yield Segment(marker, match.start(), at, at)
            continue
        length = data[at : at + 2]
        if len(length) < 2:  # noqa: PLR2004 - the bytes of a length
            raise SegmentCutOff
        end = at + int.from_bytes(length, "big")
        yield Segment(marker, match.start(), at, end)
        at = end_of_scan(data, end) if marker == SCAN else end


def end_of_scan(data: bytes, start: int) -> int:
    """The end of the compressed pixels behind a scan's segment."""
    match = _AFTER_SCAN.search(data, start)
    return match.start() if match else len(data)


def png_chunks(data: bytes) -> Iterator[Chunk]:
    """The chunks of a PNG, to IEND or the file's end."""
    at, name = len(PNG_SIGNATURE), b""
    while at < len(data) and name != b"IEND":
        end = at + PNG_AROUND + int.from_bytes(data[at : at + 4], "big")
        name = data[at + 4 : at + 8]
        yield Chunk(name, at, end)
        at = end


def gif_blocks(data: bytes) -> Iterator[GifBlock]:
    """The blocks of a GIF behind its palette, to the trailer or the file's end.

    Decoders pass over bytes that are no block; each of these comes by itself.

    Raises:
        IndexError: the file ends before its screen does.
    """
    at = gif_data_start(data)
    while at < len(data):
        start, introducer = at, data[at]
        if introducer == GIF_EXTENSION:
            at = _end_of_sub_blocks(data, at + 2)
        elif introducer == GIF_FRAME:
            flags = data[at + 9] if at + 9 < len(data) else 0
            at = _end_of_sub_blocks(data, at + 11 + _palette_bytes(flags))
        else:
            at += 1
        yield GifBlock(introducer, start, at)
        if introducer == GIF_TRAILER:
            return


def gif_data_start(data: bytes) -> int:
    """The position of the first block of a GIF."""
    return GIF_HEADER + _palette_bytes(data[10])


def _palette_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _end_of_sub_blocks(data: bytes, at: int) -> int:
    while at < len(data) and data[at]:
        at += data[at] + 1
    return at + 1


def riff_chunks(data: bytes | memoryview, start: int, end: int) -> Iterator[Chunk]:
    """The chunks of a WebP file or frame; without a name where the file ends before one."""
    at = start
    while at < end:
        head = bytes(data[at : at + _RIFF_HEAD])
        if len(head) < _RIFF_HEAD:
            yield Chunk(b"", at, at)
            return
        length = int.from_bytes(head[4:], "little")
        content = at + _RIFF_HEAD
        yield Chunk(head[:4], content, content + length)
        at = content + length + length % 2
