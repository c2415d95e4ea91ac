"""JPEG without metadata (ITU T.81 for the markers, JFIF 1.02, Adobe TN 5116, ICC.1 annex B)."""

from __future__ import annotations

from typing import Final

from batchscan.images.metadata.stripping import (
    CannotStrip,
    Kept,
    joined,
    keeps_orientation,
    orientation_exif,
)
from batchscan.images.segments import (
    END,
    SCAN,
    Segment,
    SegmentCutOff,
    jpeg_segments,
)

_MARKER_BYTES: Final = 2
_EOI: Final = b"\xff\xd9"
_JFIF: Final = 0xE0
_EXIF: Final = 0xE1
_ICC: Final = 0xE2
_ADOBE: Final = 0xEE
_LENGTH_BYTES: Final = 2  # which count themselves
_JFIF_BYTES: Final = 14  # without the thumbnail
_ADOBE_BYTES: Final = 12

# Frames, tables, scans and restart intervals: all that decoding needs. 0xC8 (JPG) is reserved.
_CODING: Final = frozenset({*range(0xC0, 0xE0)} - {0xC8, END, 0xD8, *range(0xD0, 0xD8)})
_DROPPED: Final = frozenset({*range(0xE0, 0xF0), 0xFE})


def strip_jpeg(data: bytes, orientation: int) -> bytes:
    """The first picture of a JPEG file, with its colour profile and orientation only.

    Raises:
        CannotStrip: its segments are damaged, or of a kind that is not known.
    """
    parts: list[Kept | bytes] = [Kept(0, _MARKER_BYTES)]  # its start
    exif = _exif_segment(orientation) if keeps_orientation(orientation) else b""
    pixels = nothing = len(data)  # where the pixels of the last scan begin
    end_marker: Kept | bytes = _EOI
    try:
        for segment in jpeg_segments(data):
            parts.append(Kept(pixels, segment.start))
            pixels = segment.end if segment.marker == SCAN else nothing
            if segment.marker == END:
                end_marker = _without_fill(segment)
                break
            if segment.is_alone:
                continue
            _check(segment, len(data))
            if segment.marker != _JFIF and exif:  # JFIF wants to come first
                parts.append(exif)
                exif = b""
            parts.append(_kept(segment, data))
    except SegmentCutOff as error:
        raise CannotStrip("a JPEG segment is cut off") from error
    return joined(data, (*parts, Kept(pixels, len(data)), end_marker))


def _check(segment: Segment, length: int) -> None:
    if not segment.content + _LENGTH_BYTES <= segment.end <= length:
        raise CannotStrip("a JPEG segment is longer than the file")


def _kept(segment: Segment, data: bytes) -> Kept | bytes:
    """The part of a segment that stays: all of it, some of it, or nothing."""
    marker, whole = segment.marker, _without_fill(segment)
    if marker in _CODING:
        return whole
    if marker not in _DROPPED:
        raise CannotStrip(f"JPEG marker {marker:#04x} is not known")
    content = data[segment.content + _LENGTH_BYTES : segment.end]
    if marker == _JFIF and content[:5] == b"JFIF\0" and len(content) >= _JFIF_BYTES:
        bare = content[: _JFIF_BYTES - 2] + bytes(2)  # its thumbnail is 0 x 0
    elif marker == _ICC and content.startswith(b"ICC_PROFILE\0"):
        bare = content
    elif marker == _ADOBE and content[:5] == b"Adobe" and len(content) >= _ADOBE_BYTES:
        bare = content[:_ADOBE_BYTES]
    else:
        return b""
    return whole if bare == content else _segment(marker, bare)


def _without_fill(segment: Segment) -> Kept:
    """A segment without the fill bytes that may precede its marker."""
    return Kept(segment.content - _MARKER_BYTES, segment.end)


def _segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content


def _exif_segment(orientation: int) -> bytes:
    return _segment(_EXIF, b"Exif\0\0" + orientation_exif(orientation))
