"""Reading sizes from headers before Pillow opens a file, because opening allocates memory."""

from __future__ import annotations

import struct
from typing import Final

from batchscan.images import animation, kinds
from batchscan.images.kinds import ImageFormat
from batchscan.images.rules import Size

_CORE_HEADER: Final = 12  # the size of BITMAPCOREHEADER, whose fields are shorter
_PNG_MAGIC: Final = b"\x89PNG\r\n\x1a\n"


def claimed_size(kind: ImageFormat, data: bytes) -> Size | None:
    """The size of a GIF, WebP or ICO; None without one, or if Pillow can be asked safely."""
    reader = {kinds.GIF: _gif, kinds.WEBP: _webp, kinds.ICO: _icon}.get(kind)
    try:
        return reader(data) if reader else None
    except struct.error:
        return None


def _gif(data: bytes) -> Size | None:
    return animation.layout(data).first


def _webp(data: bytes) -> Size | None:
    """Read the size as RFC 9649 lays it out in each of the three kinds of first chunk."""
    chunk = data[12:16]
    if chunk == b"VP8X":
        low, middle, high = struct.unpack_from("<HHH", data, 24)
        return Size((low | (middle & 0xFF) << 16) + 1, (middle >> 8 | high << 8) + 1)
    if chunk == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return Size((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if chunk == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return Size(width & 0x3FFF, height & 0x3FFF)
    return None


def _icon(data: bytes) -> Size | None:
    """The size of the largest entry, from the entry itself: directories may be wrong."""
    (count,) = struct.unpack_from("<H", data, 4)
    sizes = [
        size
        for index in range(min(count, len(data) // 16))
        if (size := _entry(data, 6 + 16 * index)) is not None
    ]
    return max(sizes, key=lambda size: size.pixels, default=None)


def _entry(data: bytes, position: int) -> Size | None:
    try:
        (offset,) = struct.unpack_from("<I", data, position + 12)
        if data[offset : offset + 8] == _PNG_MAGIC:
            return Size(*struct.unpack_from(">II", data, offset + 16))
        header, width, height = struct.unpack_from("<Iii", data, offset)
    except struct.error:
        return None
    if header == _CORE_HEADER:
        width, height = struct.unpack_from("<HH", data, offset + 4)
    return Size(abs(width), abs(height) // 2)  # the mask lies below the picture
