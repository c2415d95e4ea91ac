"""What the RAW decoder's process is asked and answers: a few bytes and a line of JSON."""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Final

import msgspec

REQUEST: Final = struct.Struct("!BIQQ")
"""What is wanted; seconds until it kills itself; pixel limit; bytes that follow."""

MAX_REPLY: Final = 65_536
"""Longest answer that is read, in bytes."""


class Wanted(IntEnum):
    """How far into a file to go."""

    HEADER = 0
    SENSOR = 1  # decode its data
    PREVIEW = 2  # make a thumbnail of the picture that the camera put beside it


class RawReport(msgspec.Struct, frozen=True):
    """What LibRaw made of a file."""

    opened: bool = False
    raw_width: int = 0  # the whole sensor, with the masked edges
    raw_height: int = 0
    width: int = 0  # the picture
    height: int = 0
    error: str | None = None  # LibRaw's name for what went wrong, at open or unpack
    unsupported: bool = False  # LibRaw knows what it is and cannot decode it
    no_memory: bool = False
    thumbnail: bytes | None = None  # a JPEG file of at most 4 kB
