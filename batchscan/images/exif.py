"""The few EXIF fields that a portrait wants, out of bytes that may say anything.

Not Pillow's reader: that copies every value of a directory, and wants a TIFF's magic, which some
camera RAW has not.
"""

from __future__ import annotations

import struct
from typing import Final

ORIENTATION: Final = 274
ARTIST: Final = 315
XMP: Final = 700  # these two in camera RAW
IPTC: Final = 33723
COPYRIGHT: Final = 33432
TAKEN: Final = 36867  # DateTimeOriginal

LONGEST: Final = 1_000_000
"""Bytes of a value that are read at most: metadata of real pictures has a tenth of that."""

_DIRECTORY: Final = 34665  # where the EXIF directory stands, with the time in it
_WANTED: Final = frozenset({ORIENTATION, ARTIST, XMP, IPTC, COPYRIGHT, TAKEN, _DIRECTORY})
_UNITS: Final = {1: 1, 2: 1, 3: 2, 4: 4, 6: 1, 7: 1, 13: 4, 129: 1}  # bytes; texts are of one
_ENTRY: Final = 12
_INLINE: Final = 4  # bytes of values that stand in the entry itself
# TIFF's own, and those of Olympus and Panasonic, whose directories are the same.
_MAGICS: Final = (b"II*\0", b"MM\0*", b"IIRO", b"IIRS", b"MMOR", b"IIU\0")


class Exif:
    """What one block of EXIF, or a RAW file built like a TIFF, says of itself."""

    def __init__(self, data: bytes) -> None:
        """Read; what is damaged is as if it were not there, and nothing is raised."""
        data = data.removeprefix(b"Exif\0\0")
        self._order = "<" if data[:2] == b"II" else ">"
        self._values: dict[int, bytes] = {}
        if data[:4] in _MAGICS:
            self._read(data, self._integer(data[4:8]))
            self._read(data, self.number(_DIRECTORY))

    def text(self, tag: int) -> bytes:
        """A value's bytes, empty where there is none."""
        return self._values.get(tag, b"")

    def number(self, tag: int) -> int:
        """A value as a whole number, 0 where there is none."""
        return self._integer(self.text(tag))

    def _read(self, data: bytes, start: int) -> None:
        """Keep the first value of each tag that is wanted."""
        if not 0 < start <= len(data) - 2:
            return
        (count,) = struct.unpack_from(f"{self._order}H", data, start)
        end = min(start + 2 + _ENTRY * count, len(data) - _ENTRY + 1)
        for entry in range(start + 2, end, _ENTRY):
            tag, kind, length, place = struct.unpack_from(f"{self._order}HHII", data, entry)
            if tag in _WANTED and kind in _UNITS and tag not in self._values:
                size = length * _UNITS[kind]
                if size <= _INLINE:
                    place = entry + 8
                self._values[tag] = data[place : place + min(size, LONGEST)]

    def _integer(self, value: bytes) -> int:
        return int.from_bytes(value[:4], "little" if self._order == "<" else "big")
