"""Code that the strippers of all formats share."""

from __future__ import annotations

import struct
from typing import Final

_ORIENTATION_TAG: Final = 0x0112
_SHORT: Final = 3
UPRIGHT: Final = 1
_LAST: Final = 8


class CannotStrip(Exception):
    """The metadata cannot be separated from the picture without decoding it."""


def orientation_exif(orientation: int) -> bytes:
    """An EXIF block (TIFF 6.0, little-endian) whose only entry is the orientation."""
    entry = struct.pack("<HHIHxx", _ORIENTATION_TAG, _SHORT, 1, orientation)
    return b"II*\0" + struct.pack("<IH", 8, 1) + entry + bytes(4)


def keeps_orientation(orientation: int) -> bool:
    """Whether an orientation must be written: upright is what decoders assume."""
    return UPRIGHT < orientation <= _LAST
