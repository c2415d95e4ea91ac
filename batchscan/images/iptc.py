"""The IPTC fields of a picture (IIM 4.2): datasets in a row, each with its number and length.

Not Pillow's reader: one damaged dataset costs it all those before.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

CREATED: Final = (2, 55)
BY_LINE: Final = (2, 80)
CREDIT: Final = (2, 110)
COPYRIGHT: Final = (2, 116)

_HEADER: Final = struct.Struct(">BBBH")
_MARK: Final = 0x1C
_EXTENDED: Final = 0x8000  # the length stands in as many bytes as the rest says; no text is so long


def datasets(data: bytes) -> Iterator[tuple[tuple[int, int], bytes]]:
    """Give record, number and bytes of each dataset, up to the first that is damaged."""
    position = 0
    while position + _HEADER.size <= len(data):
        mark, record, number, length = _HEADER.unpack_from(data, position)
        position += _HEADER.size
        if mark != _MARK or length & _EXTENDED:
            return
        yield (record, number), data[position : position + length]
        position += length
