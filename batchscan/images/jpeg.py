"""A JPEG's end marker: whether it is there, and how to judge a file without one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

END: Final = b"\xff\xd9"
_START_OF_SCAN: Final = 0xDA
_FILLER: Final = bytes(range(1, 255)) * 2


def has_end(data: bytes) -> bool:
    """Whether an end marker follows the first scan; those of thumbnails in headers don't count."""
    position = _first_scan(data)
    return position is not None and data.find(END, position) >= 0


def endings(data: bytes) -> Iterator[bytes]:
    """Give the file with an end marker, and with scrap before that marker.

    Decoders invent pixels that are missing before an end marker, and say nothing. They ignore
    scrap behind the last pixel, but take it for pixels where some are missing: only a file that
    lacks nothing but its marker decodes alike with both.
    """
    data = data.rstrip(b"\xff")
    yield data + END
    yield data + _FILLER + END


def _first_scan(data: bytes) -> int | None:
    position = 2
    while position + 4 <= len(data):
        if data[position] != 0xFF:
            position += 1  # decoders look for the next marker, and so do we
        elif data[position + 1] in (0x00, 0xFF):
            position += 1
        elif data[position + 1] == _START_OF_SCAN:
            return position
        else:
            position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return None
