"""Checking whether a file contains the end of the picture, by its structure."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final, NamedTuple

from batchscan.images import animation, kinds
from batchscan.images.kinds import ImageFormat
from batchscan.images.segments import SCAN, SegmentCutOff, jpeg_segments

_PNG_END: Final = b"IEND\xaeB`\x82"
_CORE_HEADER: Final = 12  # the size of BITMAPCOREHEADER, whose fields are shorter
_UNCOMPRESSED: Final = (0, 3, 6)  # BI_RGB, BI_BITFIELDS, BI_ALPHABITFIELDS


def is_complete(kind: ImageFormat, data: bytes) -> bool:
    """Whether the file ends where its structure does; also False if only decoding can show that."""
    reader = {
        kinds.JPEG: has_end,
        kinds.PNG: _png,
        kinds.GIF: _gif,
        kinds.BMP: _bmp,
        kinds.WEBP: _webp,
    }.get(kind)
    try:
        return reader is not None and reader(data)
    except struct.error:
        return False


def _png(data: bytes) -> bool:
    return _PNG_END in data


def _gif(data: bytes) -> bool:
    return animation.layout(data).complete


def _webp(data: bytes) -> bool:
    (size,) = struct.unpack_from("<I", data, 4)
    return len(data) >= int(size) + 8


def _bmp(data: bytes) -> bool:
    offset, header = struct.unpack_from("<II", data, 10)
    compression = 0
    if header == _CORE_HEADER:
        width, height, _, depth = struct.unpack_from("<HHHH", data, 18)
    else:
        width, height, _, depth, compression = struct.unpack_from("<iiHHI", data, 18)
    row = (width * depth + 31) // 32 * 4
    return compression in _UNCOMPRESSED and len(data) >= offset + row * abs(height)


END: Final = b"\xff\xd9"
_MARK: Final = 0xFF
# Without markers, and ones first: as codes they mean large steps, while zeros mean "no change".
_FILLER: Final = bytes(range(254, 0, -1))
# With every restart marker, so that in a file cut at one the decoder reads pixels from the scrap.
_SCRAP: Final = b"".join(_FILLER + bytes((_MARK, 0xD0 + number)) for number in range(8)) + _FILLER
_TAIL: Final = 16  # bytes at the end of the last scan that are tested


class JpegEnd(NamedTuple):
    """Fingerprints of a decoded picture."""

    whole: bytes
    bottom: bytes  # of the lowest rows, which the last bytes of the file hold


def has_end(data: bytes) -> bool:
    """Whether an end marker follows the first scan; those of thumbnails in headers do not count."""
    position = _first_scan(data)
    # Backwards: in nearly all files it is at the end, and a search from the front is slow.
    return position is not None and data.rfind(END, position) >= 0


def lacks_only_its_end(data: bytes, decode: Callable[[bytes], JpegEnd]) -> bool:
    """Whether every pixel is there though the end marker is not.

    Decoders silently fill in missing pixels before an end marker, so appending one proves nothing
    by itself. They ignore scrap after the last pixel, but decode it if pixels are missing; and
    scrap instead of the last bytes changes the lowest rows if those bytes were pixels.
    """
    data = data.rstrip(END[:1])
    scan = data.rfind(bytes((_MARK, SCAN)))
    tail = min(_TAIL, (len(data) - scan) // 4)
    pixels = decode(data + END)
    if tail < 1 or pixels != decode(data + _SCRAP + END):
        return False
    return pixels.bottom != decode(data[:-tail] + _SCRAP + END).bottom


def _first_scan(data: bytes) -> int | None:
    try:
        scans = (segment.start for segment in jpeg_segments(data) if segment.marker == SCAN)
        return next(scans, None)
    except SegmentCutOff:
        return None
