"""LibRaw's report about a file, from the decoder process."""

from __future__ import annotations

import msgspec


class RawReport(msgspec.Struct, frozen=True):
    """LibRaw's report about a file."""

    opened: bool = False
    raw_width: int = 0  # the whole sensor, with the masked edges
    raw_height: int = 0
    width: int = 0  # the picture
    height: int = 0
    error: str | None = None  # LibRaw's name for what went wrong, at open or unpack
    unsupported: bool = False  # LibRaw knows what it is and cannot decode it
    no_memory: bool = False
    thumbnail: bytes | None = None  # a JPEG file of at most 4 kB
