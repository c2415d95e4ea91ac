"""JPEG without metadata (ITU T.81 for the markers, JFIF 1.02, Adobe TN 5116, ICC.1 annex B)."""

from __future__ import annotations

import re
from typing import Final

from batchscan.images.metadata.stripping import (
    CannotStrip,
    keeps_orientation,
    orientation_exif,
)

_SOI: Final = b"\xff\xd8"
_EOI: Final = b"\xff\xd9"
_END: Final = 0xD9
_SCAN: Final = 0xDA
_JFIF: Final = 0xE0
_EXIF: Final = 0xE1
_ICC: Final = 0xE2
_ADOBE: Final = 0xEE
_LENGTH_BYTES: Final = 2  # which count themselves
_JFIF_BYTES: Final = 14  # without the thumbnail
_ADOBE_BYTES: Final = 12

# Frames, tables, scans and restart intervals: all that decoding needs. 0xC8 (JPG) is reserved.
_CODING: Final = frozenset({*range(0xC0, 0xE0)} - {0xC8, _END, 0xD8, *range(0xD0, 0xD8)})
_DROPPED: Final = frozenset({*range(0xE0, 0xF0), 0xFE})
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a segment

# The next marker, as libjpeg looks for it: whatever is no marker is passed over.
_MARKER: Final = re.compile(rb"\xff+([^\x00\xff])", re.DOTALL)
_AFTER_SCAN: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)


def strip_jpeg(data: bytes, orientation: int) -> bytes:
    """The first picture of a JPEG file, with its colour profile and orientation only.

    Raises:
        CannotStrip: its segments are damaged, or of a kind that is not known.
    """
    view = memoryview(data)
    parts: list[bytes | memoryview] = []
    at = len(_SOI)
    exif = _exif_segment(orientation) if keeps_orientation(orientation) else b""
    while found := _MARKER.search(data, at):
        marker, at = data[found.start(1)], found.end()
        if marker == _END:
            break
        if marker in _ALONE:
            continue
        end = _segment_end(data, at)
        if marker != _JFIF and exif:  # JFIF wants to come first
            parts.append(exif)
            exif = b""
        parts.append(_kept(marker, data, view, at, end))
        at = end
        if marker == _SCAN:
            after = _AFTER_SCAN.search(data, at)
            at = after.start() if after else len(data)
            parts.append(view[end:at])
    return b"".join((_SOI, *parts, _EOI))


def _segment_end(data: bytes, at: int) -> int:
    length = int.from_bytes(data[at : at + 2], "big")
    if length < _LENGTH_BYTES or at + length > len(data):
        raise CannotStrip("a JPEG segment is longer than the file")
    return at + length


def _kept(marker: int, data: bytes, view: memoryview, at: int, end: int) -> bytes | memoryview:
    """What stays of a segment: all of it, a part, or nothing."""
    if marker in _CODING:
        return b"".join((b"\xff", bytes((marker,)), view[at:end]))
    if marker not in _DROPPED:
        raise CannotStrip(f"JPEG marker {marker:#04x} is not known")
    content = data[at + 2 : end]
    if marker == _JFIF and content[:5] == b"JFIF\0" and len(content) >= _JFIF_BYTES:
        return _segment(marker, content[: _JFIF_BYTES - 2] + bytes(2))  # its thumbnail is 0 x 0
    if marker == _ICC and content.startswith(b"ICC_PROFILE\0"):
        return _segment(marker, content)
    if marker == _ADOBE and content[:5] == b"Adobe" and len(content) >= _ADOBE_BYTES:
        return _segment(marker, content[:_ADOBE_BYTES])
    return b""


def _segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content


def _exif_segment(orientation: int) -> bytes:
    return _segment(_EXIF, b"Exif\0\0" + orientation_exif(orientation))
