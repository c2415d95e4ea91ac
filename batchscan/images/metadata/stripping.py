"""Code that the strippers of all formats share."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final, NamedTuple

_ORIENTATION_TAG: Final = 0x0112
_SHORT: Final = 3
UPRIGHT: Final = 1
_LAST: Final = 8


class CannotStrip(Exception):
    """The metadata cannot be separated from the picture without decoding it."""


class Kept(NamedTuple):
    """A part of a file that stays as it is."""

    start: int
    end: int


def joined(data: bytes, parts: Iterable[Kept | bytes]) -> bytes:
    """The file made of parts of `data` and new bytes; `data` itself, not copied, if all of it stays.

    A part may be empty, and may end behind the file, as the length that it claims does.
    """
    merged: list[Kept | bytes] = []
    for part in parts:
        if isinstance(part, bytes):
            merged += [part] if part else []
            continue
        start, end = part.start, min(part.end, len(data))
        if start >= end:
            continue
        last = merged[-1] if merged else None
        if isinstance(last, Kept) and last.end == start:
            merged[-1] = Kept(last.start, end)
        else:
            merged.append(Kept(start, end))
    if merged == [(0, len(data))]:
        return data
    view = memoryview(data)
    return b"".join(
        view[part.start : part.end] if isinstance(part, Kept) else part for part in merged
    )


def orientation_exif(orientation: int) -> bytes:
    """An EXIF block (TIFF 6.0, little-endian) whose only entry is the orientation."""
    entry = struct.pack("<HHIHxx", _ORIENTATION_TAG, _SHORT, 1, orientation)
    return b"II*\0" + struct.pack("<IH", 8, 1) + entry + bytes(4)


def keeps_orientation(orientation: int) -> bool:
    """Whether an orientation must be written: upright is what decoders assume."""
    return UPRIGHT < orientation <= _LAST
