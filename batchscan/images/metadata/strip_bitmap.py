"""BMP and ICO without what lies around their pixels (Windows GDI's BITMAPV5HEADER, ICONDIR)."""

from __future__ import annotations

import struct
from typing import Final

from batchscan.images.metadata.strip_png import strip_png
from batchscan.images.metadata.stripping import UPRIGHT, CannotStrip

_FILE_HEADER: Final = 14
_CORE_HEADER: Final = 12
_INFO_HEADER: Final = 40
_V5_HEADER: Final = 124
_PROFILE_AT: Final = _FILE_HEADER + 112  # offset and size of the colour profile
_COLOUR_SPACE_AT: Final = _FILE_HEADER + 56
_EMBEDDED: Final = b"DEBM"  # 'MBED', little-endian
_LINKED: Final = b"KNIL"  # 'LINK': the profile's file name
_SRGB: Final = b"BGRs"
_UNCOMPRESSED: Final = (0, 3, 6)
_MASKS: Final = {3: 12, 6: 16}  # bytes of colour masks behind the short header, by compression
_PALETTE_DEPTH: Final = 8  # bits a pixel, up to which there is a palette
_ICON_ENTRY: Final = struct.Struct("<8sII")
_PNG: Final = b"\x89PNG\r\n\x1a\n"


def strip_bmp(data: bytes, orientation: int) -> bytes:  # noqa: ARG001 - a BMP has none
    """A BMP file up to its last pixel, with an embedded colour profile where there is one.

    Raises:
        CannotStrip: it is not said where its pixels end.
    """
    offset, header = (
        struct.unpack_from("<II", data, 10) if len(data) >= _FILE_HEADER + _CORE_HEADER else (0, 0)
    )
    end = offset + _pixel_bytes(data, header)
    if offset < _FILE_HEADER + header or end > len(data):
        raise CannotStrip("the BMP's pixels reach beyond the file")
    stripped = bytearray(data[:end])
    stripped[6:10] = bytes(4)  # reserved
    gap = min(offset, _palette_end(data, header))
    stripped[gap:offset] = bytes(offset - gap)
    if header >= _V5_HEADER:
        _keep_profile(stripped, data)
    stripped[2:6] = len(stripped).to_bytes(4, "little")
    return data if stripped == data else bytes(stripped)


def _pixel_bytes(data: bytes, header: int) -> int:
    if header == _CORE_HEADER:
        width, height, _, depth = struct.unpack_from("<HHHH", data, 18)
        compression, size = 0, 0
    elif header >= _INFO_HEADER and len(data) >= _FILE_HEADER + header:
        width, height, _, depth, compression, size = struct.unpack_from("<iiHHII", data, 18)
    else:
        raise CannotStrip("the BMP's header is of a kind that is not known")
    if compression in _UNCOMPRESSED:
        return int((abs(width) * depth + 31) // 32 * 4 * abs(height))
    if not size:
        raise CannotStrip("the compressed BMP does not say how long it is")
    return int(size)


def _palette_end(data: bytes, header: int) -> int:
    """The end of the header's masks and colours; bytes from there to the pixels are unused."""
    if header == _CORE_HEADER:
        (depth,) = struct.unpack_from("<H", data, 24)
        return _FILE_HEADER + header + (3 << depth if depth <= _PALETTE_DEPTH else 0)
    depth, compression = struct.unpack_from("<HI", data, 28)
    (colours,) = struct.unpack_from("<I", data, 46)
    if depth <= _PALETTE_DEPTH:
        colours = colours or 1 << depth
    masks = _MASKS.get(compression, 0) if header == _INFO_HEADER else 0
    return int(_FILE_HEADER + header + masks + 4 * colours)


def _keep_profile(stripped: bytearray, data: bytes) -> None:
    space = data[_COLOUR_SPACE_AT : _COLOUR_SPACE_AT + 4]
    start, size = struct.unpack_from("<II", data, _PROFILE_AT)
    start += _FILE_HEADER
    if space == _EMBEDDED and start >= len(stripped) and start + size <= len(data):
        struct.pack_into("<I", stripped, _PROFILE_AT, len(stripped) - _FILE_HEADER)
        stripped += data[start : start + size]
    elif space in (_EMBEDDED, _LINKED):
        stripped[_COLOUR_SPACE_AT : _COLOUR_SPACE_AT + 4] = _SRGB
        struct.pack_into("<II", stripped, _PROFILE_AT, 0, 0)


def strip_ico(data: bytes, orientation: int) -> bytes:  # noqa: ARG001 - an icon has none
    """An icon with its entries only; those that are PNG files without their metadata.

    Raises:
        CannotStrip: an entry reaches beyond the file.
    """
    count = int.from_bytes(data[4:6], "little")
    at = 6 + count * _ICON_ENTRY.size
    if not count or at > len(data):
        raise CannotStrip("the icon's directory is cut off")
    directory, images = [data[:6]], []
    for description, size, offset in _ICON_ENTRY.iter_unpack(data[6:at]):
        image = data[offset : offset + size]
        if len(image) < size or at > 2 * len(data):
            raise CannotStrip("an icon's entry reaches beyond the file")
        if image.startswith(_PNG):
            image = strip_png(image, UPRIGHT)
        directory.append(_ICON_ENTRY.pack(description, len(image), at))
        images.append(image)
        at += len(image)
    return b"".join(directory + images)
