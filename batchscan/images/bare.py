"""Copies of a picture without its ancillary parts, which may be damaged while the pixels are not.

Pillow refuses a picture with a wrong checksum in a text chunk or a truncated Photoshop block,
which other decoders skip. Parts with pixels are copied unchanged, so that damage there remains.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Final

from batchscan.images import kinds
from batchscan.images.kinds import ImageFormat
from batchscan.images.segments import (
    GIF_EXTENSION,
    GIF_FRAME,
    GIF_FRAME_HEADER,
    PNG_SIGNATURE,
    SCAN,
    SegmentCutOff,
    gif_blocks,
    gif_data_start,
    jpeg_segments,
    png_chunks,
    riff_chunks,
)


def bare_copies(kind: ImageFormat, data: bytes) -> Iterator[bytes]:
    """Copies that differ from `data`: one with intact EXIF and animation, one without both.

    There are none if the structure is damaged, or if nothing can be removed.
    """
    copier = _COPIERS.get(kind)
    seen = {data}
    for keep in (True, False):
        try:
            copy = copier(data, keep) if copier else data
        except (struct.error, IndexError, SegmentCutOff):
            return
        if copy not in seen:
            seen.add(copy)
            yield copy


_ANCILLARY: Final = frozenset({*range(0xE0, 0xF0), 0xFE})
# The segment that defines the colours, if it is long enough for libjpeg to use it.
_COLOURS: Final = {0xE0: (b"JFIF\0", 14), 0xEE: (b"Adobe", 12)}
_APP1: Final = 0xE1


def _jpeg(data: bytes, keep: bool) -> bytes:
    parts, copied = [], 0
    for marker, start, content, end in jpeg_segments(data):
        if marker == SCAN:
            break
        if marker in _ANCILLARY and not _is_kept(marker, data[content + 2 : end], keep=keep):
            parts.append(data[copied:start])
            copied = end
    return b"".join((*parts, data[copied:]))


def _is_kept(marker: int, content: bytes, *, keep: bool) -> bool:
    if marker == _APP1:
        return keep and content.startswith(b"Exif\0\0")
    start, least = _COLOURS.get(marker, (b"", 0x10000))
    return len(content) >= least and content.startswith(start)


_PNG_KEPT: Final = frozenset({b"tRNS", b"eXIf", b"acTL", b"fcTL", b"fdAT"})
_PNG_NAME: Final = re.compile(rb"[A-Za-z]{4}")


def _png(data: bytes, keep: bool) -> bytes:
    parts = [PNG_SIGNATURE]
    for name, start, end in png_chunks(data):
        if not _PNG_NAME.fullmatch(name):
            return data
        critical = not name[0] & 0x20
        if critical or (keep and name in _PNG_KEPT and _is_sound(data[start:end])):
            parts.append(data[start:end])
    return b"".join(parts)


def _is_sound(chunk: bytes) -> bool:
    return zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big")


_GRAPHIC_CONTROL: Final = b"\x21\xf9\x04"
_GIF_LOOP: Final = b"\x21\xff\x0bNETSCAPE2.0\x03\x01"


def _gif(data: bytes, keep: bool) -> bytes:  # noqa: ARG001 - there is no EXIF in a GIF
    parts = [data[: gif_data_start(data)]]
    for introducer, start, end in gif_blocks(data):
        if introducer not in (GIF_EXTENSION, GIF_FRAME):
            parts.append(data[start:])
            break
        if introducer == GIF_FRAME and start + GIF_FRAME_HEADER > len(data):
            return data  # cut off
        if introducer == GIF_FRAME or data.startswith((_GRAPHIC_CONTROL, _GIF_LOOP), start):
            parts.append(data[start:end])
    return b"".join(parts)


_WEBP_PIXELS: Final = frozenset({b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF"})
_HAS_ICC, _HAS_EXIF, _HAS_XMP, _IS_ANIMATED = 0x20, 0x08, 0x04, 0x02


def _webp(data: bytes, keep: bool) -> bytes:
    header, flags, parts = b"", 0, []
    for name, chunk, is_whole in _chunks(data):
        if name == b"VP8X":
            header, flags = chunk, chunk[8] & ~(_HAS_ICC | _HAS_EXIF | _HAS_XMP)
        elif not is_whole and (name in _WEBP_PIXELS or (not name and flags & _IS_ANIMATED)):
            return data  # a frame is cut off, or may be missing
        elif name in _WEBP_PIXELS:
            parts.append(chunk)
        elif name == b"EXIF" and keep and is_whole:
            flags |= _HAS_EXIF
            parts.append(chunk)
    if header:
        parts.insert(0, header[:8] + bytes((flags,)) + header[9:])
    body = b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bool]]:
    """Each chunk's name, bytes, and whether it is complete; no name if the file ends before it."""
    (size,) = struct.unpack_from("<I", data, 4)
    for name, start, end in riff_chunks(data, 12, size + 8):
        is_whole = bool(name) and end <= len(data)
        yield name, data[start - 8 : end + (end - start) % 2] if name else b"", is_whole
        if not is_whole:
            return


def _ico(data: bytes, keep: bool) -> bytes:
    (count,) = struct.unpack_from("<H", data, 4)
    copy = bytearray(data)
    for index in range(count):
        size, offset = struct.unpack_from("<II", data, 6 + 16 * index + 8)
        entry = data[offset : offset + size]
        if entry.startswith(PNG_SIGNATURE):
            copy[offset : offset + size] = _png(entry, keep).ljust(len(entry), b"\0")
    return bytes(copy)


_COPIERS: Final[dict[ImageFormat, Callable[[bytes, bool], bytes]]] = {
    kinds.JPEG: _jpeg,
    kinds.PNG: _png,
    kinds.GIF: _gif,
    kinds.WEBP: _webp,
    kinds.ICO: _ico,
}
