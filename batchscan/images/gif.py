"""A GIF's frames by its block structure, read before any decoder may allocate for them.

Pillow makes room for a frame that is to be disposed of as soon as it opens the file.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from batchscan.images.verdict import Size

EXTENSION: Final = 0x21
FRAME: Final = 0x2C
_TRAILER: Final = 0x3B


@dataclass(frozen=True, slots=True)
class Layout:
    """What a GIF claims to be."""

    first: Size | None  # the screen with the first frame, which may reach out of it
    reach: Size  # the screen with every frame found
    complete: bool  # the trailer was found where the blocks end


def layout(data: bytes) -> Layout:
    """Walk the blocks; a damaged file's walk ends early, as not complete."""
    try:
        return _walk(data)
    except (struct.error, IndexError):
        return Layout(None, Size(0, 0), complete=False)


def _walk(data: bytes) -> Layout:
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    position = 13 + palette(flags)
    first = None
    while position < len(data) and data[position] in (EXTENSION, FRAME):
        if data[position] == EXTENSION:
            position = skip(data, position + 2)
            continue
        if position + 10 > len(data):
            break
        x, y, w, h, flags = struct.unpack_from("<HHHHB", data, position + 1)
        width, height = max(width, x + w), max(height, y + h)
        first = first or Size(width, height)
        position = skip(data, position + 11 + palette(flags))
    complete = position < len(data) and data[position] == _TRAILER
    return Layout(first, Size(width, height), complete)


def palette(flags: int) -> int:
    """Bytes of the colour table that a descriptor's flags announce."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def skip(data: bytes, position: int) -> int:
    """Go past a chain of sub-blocks, each led by its length."""
    while position < len(data) and data[position]:
        position += data[position] + 1
    return position + 1
