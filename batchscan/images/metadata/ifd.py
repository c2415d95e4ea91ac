"""Reading directories of TIFF files and of similar ones: BigTIFF, camera RAW, EXIF blocks.

TIFF 6.0, section 2; BigTIFF as in libtiff. Nothing is raised for any bytes: damaged parts are
ignored.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final, NamedTuple, TypeAlias

Read: TypeAlias = Callable[[int, int], bytes]
"""Gives bytes of a file, by offset and number; fewer where the file ends."""

MAX_LENGTH: Final = 1_000_000
"""Bytes of a value that are read by default: metadata of real pictures has a tenth of that."""

WIDTH: Final = 256
HEIGHT: Final = 257
BITS: Final = 258
COMPRESSION: Final = 259
PHOTOMETRIC: Final = 262
FILL_ORDER: Final = 266
STRIP_OFFSETS: Final = 273
ORIENTATION: Final = 274
CHANNELS: Final = 277
ROWS_PER_STRIP: Final = 278
STRIP_BYTES: Final = 279
PLANAR: Final = 284
ARTIST: Final = 315
PREDICTOR: Final = 317
TILE_WIDTH: Final = 322
TILE_HEIGHT: Final = 323
TILE_OFFSETS: Final = 324
TILE_BYTES: Final = 325
SUB_IFDS: Final = 330
EXTRA_SAMPLES: Final = 338
SAMPLE_FORMAT: Final = 339
SUBSAMPLING: Final = 530
XMP: Final = 700
COPYRIGHT: Final = 33432
IPTC: Final = 33723
EXIF_DIRECTORY: Final = 34665
ICC_PROFILE: Final = 34675
TAKEN: Final = 36867  # DateTimeOriginal
TAKEN_FRACTION: Final = 37521  # SubSecTimeOriginal
_DNG_VERSION: Final = 50706

_SENSOR: Final = frozenset({32803, 34892})  # colour filter array, linear RAW (DNG 1.7, TIFF/EP)
_INTEGERS: Final = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_UNITS: Final = {1: 1, 2: 1, 3: 2, 4: 4, 6: 1, 7: 1, 13: 4, 16: 8, 18: 8, 129: 1}  # bytes
_ORDERS: Final = {b"II": "<", b"MM": ">"}
_BIG: Final = (b"II+\0", b"MM\0+")
# TIFF's own, and those of Olympus, whose strips lie as TIFF's do; Panasonic's do not.
_CLASSIC: Final = (b"II*\0", b"MM\0*", b"IIRO", b"IIRS", b"MMOR")
_MAGICS: Final = (*_CLASSIC, *_BIG, b"IIU\0")
_MAX_DIRECTORIES: Final = 64  # real files have a dozen; a hostile one may have a loop
_MAX_ENTRIES: Final = 65_535
_MAX_VALUES: Final = 1_000_000  # strips or tiles of one picture


class _Layout(NamedTuple):
    """How directories are written: byte order and widths."""

    order: str
    counter: str  # of entries
    offset: str

    def pack(self, codes: str) -> struct.Struct:
        return struct.Struct(self.order + codes)


class DirectoryEntry(NamedTuple):
    """One tag of a directory."""

    kind: int
    length: int  # how many values
    place: int  # offset of its values


def reads_bytes(data: bytes) -> Read:
    """Read from bytes in memory."""
    return lambda offset, size: data[offset : offset + size]


def reads_file(file: BinaryIO) -> Read:
    """Read from an open file, whose position moves."""

    def read(offset: int, size: int) -> bytes:
        try:
            file.seek(offset)
        except (OSError, OverflowError, ValueError):  # no file reaches so far
            return b""
        return file.read(size)

    return read


@dataclass(frozen=True, slots=True)
class Directory:
    """One image file directory: a picture inside the file, or a block of metadata."""

    order: str = "<"  # of bytes, as `struct` has it
    entries: dict[int, DirectoryEntry] = field(default_factory=dict)
    following: int = 0  # offset of the next one of the chain
    read: Read = field(default=lambda _offset, _size: b"", repr=False, compare=False)

    def __contains__(self, tag: object) -> bool:
        return tag in self.entries

    def numbers(self, tag: int) -> tuple[int, ...]:
        """A tag's whole numbers, as many as the file holds; () for other kinds of values."""
        entry = self.entries.get(tag)
        if entry is None or entry.kind not in _INTEGERS:
            return ()
        unit = _UNITS[entry.kind]
        data = self.read(entry.place, min(entry.length, _MAX_VALUES) * unit)
        count = len(data) // unit
        return struct.unpack_from(f"{self.order}{count}{_INTEGERS[entry.kind]}", data)

    def first(self, tag: int, default: int = 0) -> int:
        """A tag's first number."""
        return next(iter(self.numbers(tag)), default)

    def value(self, tag: int, limit: int = MAX_LENGTH) -> bytes:
        """The bytes of a tag's values, at most `limit`; b"" without one."""
        entry = self.entries.get(tag)
        if entry is None or entry.kind not in _UNITS:
            return b""
        return self.read(entry.place, min(entry.length * _UNITS[entry.kind], limit))

    @property
    def width(self) -> int:
        """The width in pixels, as the directory claims."""
        return self.first(WIDTH)

    @property
    def height(self) -> int:
        """The height in pixels, as the directory claims."""
        return self.first(HEIGHT)

    @property
    def is_sensor_data(self) -> bool:
        """Whether it says of itself that it holds what a sensor saw."""
        return self.first(PHOTOMETRIC) in _SENSOR

    def end(self) -> int:
        """The offset after its last strip or tile; 0 without any."""
        return max((offset + count for offset, count in self._extents() if count), default=0)

    def _extents(self) -> Iterator[tuple[int, int]]:
        for offsets, counts in ((STRIP_OFFSETS, STRIP_BYTES), (TILE_OFFSETS, TILE_BYTES)):
            yield from zip(self.numbers(offsets), self.numbers(counts), strict=False)


def chain(read: Read, limit: int = _MAX_DIRECTORIES) -> Iterator[Directory]:
    """The chain of directories from the header: the pages of a TIFF."""
    layout, offset = _header(read)
    seen: set[int] = set()
    while layout and offset not in seen and len(seen) < limit:
        seen.add(offset)
        directory = _directory(read, layout, offset)
        if directory is None:
            return
        yield directory
        offset = directory.following


def directory_at(read: Read, offset: int) -> Directory | None:
    """The directory at an offset from another one; None without one."""
    layout, _ = _header(read)
    return _directory(read, layout, offset) if layout else None


def directories(read: Read) -> list[Directory]:
    """All directories that can be reached, including nested ones."""
    layout, start = _header(read)
    pending = deque([start])
    seen: set[int] = set()
    collected: list[Directory] = []
    while layout and pending and len(collected) < _MAX_DIRECTORIES:
        offset = pending.popleft()
        directory = None if offset in seen else _directory(read, layout, offset)
        if directory is not None:
            seen.add(offset)
            collected.append(directory)
            inner = directory.numbers(SUB_IFDS)[:_MAX_DIRECTORIES]
            pending += [*inner, directory.following]
    return collected


def main_picture(candidates: list[Directory]) -> Directory | None:
    """The directory of the sensor's picture: the one marked as such, or else the largest."""
    return max(
        candidates,
        key=lambda directory: (directory.is_sensor_data, directory.width * directory.height),
        default=None,
    )


def sensor(data: bytes) -> Directory | None:
    """The sensor's picture in a file whose strips lie as in TIFF 6.0; None in others."""
    return main_picture(directories(reads_bytes(data))) if data[:4] in _CLASSIC else None


def is_dng(read: Read) -> bool:
    """Whether a TIFF has the tag that makes it a DNG."""
    return any(_DNG_VERSION in directory for directory in directories(read))


def _header(read: Read) -> tuple[_Layout | None, int]:
    """The layout of the file's directories, and the offset of the first one."""
    head = read(0, 16)
    magic = head[:4]
    if magic not in _MAGICS:
        return None, 0
    order = _ORDERS[magic[:2]]
    layout = _Layout(order, "Q", "Q") if magic in _BIG else _Layout(order, "H", "I")
    pointer = layout.pack(layout.offset)
    return layout, *pointer.unpack_from(head.ljust(16, b"\0"), pointer.size)


def _directory(read: Read, layout: _Layout, offset: int) -> Directory | None:
    head, pointer = layout.pack(layout.counter), layout.pack(layout.offset)
    start = read(offset, head.size) if offset > 0 else b""
    if len(start) < head.size:
        return None
    (count,) = head.unpack(start)
    record = layout.pack(f"HH{layout.offset}{pointer.size}s")
    at = offset + head.size
    table = read(at, record.size * min(count, _MAX_ENTRIES))
    entries: dict[int, DirectoryEntry] = {}
    for number in range(len(table) // record.size):
        tag, kind, values, inline = record.unpack_from(table, number * record.size)
        place = at + (number + 1) * record.size - pointer.size
        if values * _UNITS.get(kind, 1) > pointer.size:
            (place,) = pointer.unpack(inline)
        entries.setdefault(tag, DirectoryEntry(kind, values, place))
    following = read(at + record.size * count, pointer.size)
    then = pointer.unpack(following)[0] if len(following) == pointer.size else 0
    return Directory(layout.order, entries, then, read)
