"""WebP without metadata (RFC 9649)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from batchscan.images.metadata.stripping import (
    CannotStrip,
    keeps_orientation,
    orientation_exif,
)
from batchscan.images.segments import riff_chunks

_HEADER: Final = 12  # "RIFF", size, "WEBP"
_PIXELS: Final = frozenset({b"VP8 ", b"VP8L", b"ALPH"})
_KEPT: Final = _PIXELS | {b"ICCP", b"ANIM"}
_FRAME_HEADER: Final = 16  # bytes of an ANMF chunk before its own chunks
_HAS_EXIF: Final = 0x08
_HAS_XMP: Final = 0x04


def strip_webp(data: bytes, orientation: int) -> bytes:
    """A WebP file with its pixels, profile and animation only.

    Raises:
        CannotStrip: a chunk is cut off.
    """
    turned = keeps_orientation(orientation)
    end = min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    parts: list[bytes] = []
    extended = False
    for name, content in _chunks(memoryview(data)[_HEADER:end]):
        if name == b"VP8X":
            extended = True
            parts.append(_chunk(name, _flags(content, exif=turned)))
        elif name == b"ANMF":
            parts.append(_chunk(name, _frame(content)))
        elif name in _KEPT:
            parts.append(_chunk(name, content))
    if turned and extended:
        parts.append(_chunk(b"EXIF", orientation_exif(orientation)))
    body = b"".join(parts)
    return b"RIFF" + (4 + len(body)).to_bytes(4, "little") + b"WEBP" + body


def _chunks(view: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    for name, start, end in riff_chunks(view, 0, len(view)):
        if end > len(view):
            raise CannotStrip("a WebP chunk is longer than the file")
        yield name, view[start:end]


def _flags(content: memoryview, *, exif: bool) -> bytes:
    if not content:
        raise CannotStrip("the WebP header is empty")
    flags = content[0] & ~(_HAS_EXIF | _HAS_XMP) | (_HAS_EXIF if exif else 0)
    return bytes((flags,)) + bytes(content[1:])


def _frame(content: memoryview) -> bytes:
    inner = (_chunk(*chunk) for chunk in _chunks(content[_FRAME_HEADER:]) if chunk[0] in _PIXELS)
    return bytes(content[:_FRAME_HEADER]) + b"".join(inner)


def _chunk(name: bytes, content: bytes | memoryview) -> bytes:
    padding = bytes(len(content) % 2)
    return b"".join((name, len(content).to_bytes(4, "little"), content, padding))
