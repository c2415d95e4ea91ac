"""Recognizing valid JPEG and PNG files that Pillow cannot decode (ITU T.81, T.87)."""

from __future__ import annotations

from typing import Final

from batchscan.images import kinds
from batchscan.images.kinds import ImageFormat
from batchscan.images.segments import END, SCAN, SegmentCutOff, jpeg_segments

# A frame's header (SOF0 to SOF15, SOF55, DHP): marker, length, bits a sample.
_FRAMES: Final = frozenset({*range(0xC0, 0xD0), 0xF7, 0xDE} - {0xC4, 0xC8, 0xCC})
_LOSSLESS: Final = frozenset({0xC3, 0xC7, 0xCB, 0xCF})
_HIERARCHICAL: Final = frozenset({0xDE, 0xC5, 0xC6, 0xCD, 0xCE})
_JPEG_LS: Final = 0xF7
_DEEP_BITS: Final = 12  # the only other number that T.81 allows

_APPLE_CHUNK: Final = b"CgBI"  # the first chunk in what Xcode makes of a PNG
_FIRST_CHUNK: Final = slice(12, 16)


def name_unusual(kind: ImageFormat, data: bytes) -> str | None:
    """The name of an unusual kind of picture, for the user; None for usual ones."""
    if kind is kinds.JPEG:
        return _jpeg(data)
    if kind is kinds.PNG and data[_FIRST_CHUNK] == _APPLE_CHUNK:
        return "a PNG that Xcode has changed for iOS"
    return None


def _jpeg(data: bytes) -> str | None:
    frame = _first_frame(data)
    if frame is None:
        return None
    marker, bits = frame
    if marker == _JPEG_LS:
        return "a JPEG-LS"
    if marker in _LOSSLESS:
        return "a lossless JPEG"
    if marker in _HIERARCHICAL:
        return "a hierarchical JPEG"
    return "a JPEG with 12 bits a channel" if bits == _DEEP_BITS else None


def _first_frame(data: bytes) -> tuple[int, int] | None:
    """The marker of the first frame and its bits a sample."""
    try:
        for marker, _, content, _ in jpeg_segments(data):
            if marker in (END, SCAN):
                return None
            if marker in _FRAMES:
                return marker, data[content + 2]
    except (SegmentCutOff, IndexError):
        return None
    return None
