"""Whether a file's bytes reach to the end of the picture, as far as its structure tells."""

from __future__ import annotations

import struct
from typing import Final

from batchscan.images import gif, jpeg, kinds
from batchscan.images.kinds import Kind

_PNG_END: Final = b"IEND\xaeB`\x82"
_CORE_HEADER: Final = 12  # the size of BITMAPCOREHEADER, whose fields are shorter
_UNCOMPRESSED: Final = (0, 3, 6)  # BI_RGB, BI_BITFIELDS, BI_ALPHABITFIELDS


def is_complete(kind: Kind, data: bytes) -> bool:
    """Whether the end is where the structure says; False also where only decoding can tell."""
    reader = {
        kinds.JPEG: jpeg.has_end,
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
    return gif.layout(data).complete


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
