"""The few facts about a TIFF-based camera RAW file that LibRaw does not check."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

_WIDTH: Final = 256
_HEIGHT: Final = 257
_PHOTOMETRIC: Final = 262
_STRIP_OFFSETS: Final = 273
_STRIP_BYTES: Final = 279
_TILE_OFFSETS: Final = 324
_TILE_BYTES: Final = 325
_SUB_IFDS: Final = 330
_DNG_VERSION: Final = 50706
_WANTED: Final = frozenset(
    {_WIDTH, _HEIGHT, _PHOTOMETRIC, _STRIP_OFFSETS, _STRIP_BYTES, _TILE_OFFSETS, _TILE_BYTES}
    | {_SUB_IFDS, _DNG_VERSION}
)
_SENSOR: Final = frozenset({32803, 34892})  # colour filter array, linear RAW (DNG 1.7, TIFF/EP)
_SIZES: Final = {1: ("B", 1), 3: ("H", 2), 4: ("I", 4), 13: ("I", 4)}
_CLASSIC: Final = (b"II*\0", b"MM\0*", b"IIRO", b"IIRS", b"MMOR")
_HEADER: Final = 8  # bytes: order, magic, offset of the first directory
_INLINE: Final = 4  # bytes of values that fit into the entry itself
_MAX_DIRECTORIES: Final = 64  # real files hold a dozen; a hostile one may hold a loop
_MAX_VALUES: Final = 1_000_000  # strips or tiles of one picture


@dataclass(frozen=True, slots=True)
class Directory:
    """One image file directory: a picture inside the file."""

    tags: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def first(self, tag: int) -> int:
        """Give a tag's first value, or 0 where it is missing."""
        return next(iter(self.tags.get(tag, ())), 0)

    @property
    def width(self) -> int:
        """In pixels, as the directory claims."""
        return self.first(_WIDTH)

    @property
    def height(self) -> int:
        """In pixels, as the directory claims."""
        return self.first(_HEIGHT)

    @property
    def is_sensor_data(self) -> bool:
        """Whether it says of itself that it holds what a sensor saw."""
        return self.first(_PHOTOMETRIC) in _SENSOR

    @property
    def has_dng_version(self) -> bool:
        """Whether the file calls itself a DNG here."""
        return _DNG_VERSION in self.tags

    def end(self) -> int:
        """Give the offset just behind its last strip or tile; 0 where it has none."""
        return max(
            (offset + count for offset, count in self._extents() if count),
            default=0,
        )

    def _extents(self) -> Iterator[tuple[int, int]]:
        for offsets, counts in ((_STRIP_OFFSETS, _STRIP_BYTES), (_TILE_OFFSETS, _TILE_BYTES)):
            yield from zip(self.tags.get(offsets, ()), self.tags.get(counts, ()), strict=False)


def directories(data: bytes) -> list[Directory]:
    """Read every directory that can be reached; what is damaged is left out, never raised."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        return []
    pending = list(struct.unpack_from(f"{order}I", data.ljust(_HEADER, b"\0"), 4))
    seen: set[int] = set()
    found = []
    while pending and len(seen) < _MAX_DIRECTORIES:
        offset = pending.pop(0)
        if offset in seen or not 0 < offset <= len(data) - 2:
            continue
        seen.add(offset)
        directory, following = _read(data, offset, order)
        found.append(directory)
        pending += [*directory.tags.get(_SUB_IFDS, ())[:_MAX_DIRECTORIES], following]
    return found


def main_picture(found: list[Directory]) -> Directory | None:
    """Choose the directory of the sensor's picture: said so, or else the largest."""
    return max(
        found,
        key=lambda directory: (directory.is_sensor_data, directory.width * directory.height),
        default=None,
    )


def sensor(data: bytes) -> Directory | None:
    """The sensor's picture in a file whose strips lie as in TIFF 6.0; None in others."""
    return main_picture(directories(data)) if data[:4] in _CLASSIC else None


def is_dng(data: bytes) -> bool:
    """Whether a TIFF has the tag that makes it a DNG."""
    return any(directory.has_dng_version for directory in directories(data))


def has_dng_version(read: Callable[[int, int], bytes]) -> bool:
    """Whether the first directory of a TIFF file makes it a DNG.

    Args:
        read: gives bytes of the file, by offset and number.
    """
    head = read(0, _HEADER)
    order: Literal["little", "big"] = "little" if head[:2] == b"II" else "big"
    start = int.from_bytes(head[4:8], order)
    count = int.from_bytes(read(start, 2), order)
    entries = read(start + 2, 12 * count)
    tags = (entries[at : at + 2] for at in range(0, len(entries) - 1, 12))
    return any(int.from_bytes(tag, order) == _DNG_VERSION for tag in tags)


def _read(data: bytes, offset: int, order: str) -> tuple[Directory, int]:
    (count,) = struct.unpack_from(f"{order}H", data, offset)
    tags: dict[int, tuple[int, ...]] = {}
    end = offset + 2 + 12 * count
    for entry in range(offset + 2, min(end, len(data) - 11), 12):
        tag, kind, length = struct.unpack_from(f"{order}HHI", data, entry)
        if tag in _WANTED and kind in _SIZES:
            tags[tag] = _values(data, entry, order, kind, length)
    following = struct.unpack_from(f"{order}I", data, end)[0] if end + 4 <= len(data) else 0
    return Directory(tags), following


def _values(data: bytes, entry: int, order: str, kind: int, length: int) -> tuple[int, ...]:
    code, size = _SIZES[kind]
    start = entry + 8
    if length * size > _INLINE:
        (start,) = struct.unpack_from(f"{order}I", data, start)
    length = min(length, _MAX_VALUES, max(0, len(data) - start) // size)
    return struct.unpack_from(f"{order}{length}{code}", data, start) if length else ()


ORIENTATION: Final = 274
ARTIST: Final = 315
XMP: Final = 700  # these two in camera RAW
IPTC: Final = 33723
COPYRIGHT: Final = 33432
TAKEN: Final = 36867  # DateTimeOriginal
TAKEN_FRACTION: Final = 37521  # SubSecTimeOriginal

MAX_LENGTH: Final = 1_000_000
"""Bytes of a value that are read at most: metadata of real pictures has a tenth of that."""

_DIRECTORY: Final = 34665  # where the EXIF directory is, with the time in it
_EXIF_WANTED: Final = frozenset(
    {ORIENTATION, ARTIST, XMP, IPTC, COPYRIGHT, TAKEN, TAKEN_FRACTION} | {_DIRECTORY}
)
_UNITS: Final = {1: 1, 2: 1, 3: 2, 4: 4, 6: 1, 7: 1, 13: 4, 129: 1}  # bytes; texts are of one
_ENTRY: Final = 12
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
            if tag in _EXIF_WANTED and kind in _UNITS and tag not in self._values:
                size = length * _UNITS[kind]
                if size <= _INLINE:
                    place = entry + 8
                self._values[tag] = data[place : place + min(size, MAX_LENGTH)]

    def _integer(self, value: bytes) -> int:
        return int.from_bytes(value[:4], "little" if self._order == "<" else "big")
