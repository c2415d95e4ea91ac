"""PNG and APNG without metadata (PNG specification, third edition)."""

from __future__ import annotations

import zlib
from typing import Final

from batchscan.images.metadata.stripping import (
    CannotStrip,
    Kept,
    joined,
    keeps_orientation,
    orientation_exif,
)
from batchscan.images.segments import PNG_SIGNATURE, png_chunks

_CRITICAL: Final = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
# Transparency, colour, resolution and animation.
_KEPT: Final = frozenset(
    {
        b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"mDCV", b"cLLI", b"sBIT", b"bKGD",
        b"pHYs", b"hIST", b"sPLT", b"acTL", b"fcTL", b"fdAT",
    }
)  # fmt: skip


def strip_png(data: bytes, orientation: int) -> bytes:
    """A PNG with the chunks that decoding needs.

    An ancillary chunk whose checksum is wrong goes, too: decoders pass over it.

    Raises:
        CannotStrip: a chunk is cut off, or is a critical one that is not known.
    """
    view = memoryview(data)
    signed = data.startswith(PNG_SIGNATURE)
    parts: list[Kept | bytes] = [Kept(0, len(PNG_SIGNATURE)) if signed else PNG_SIGNATURE]
    for name, at, end in png_chunks(data):
        if name in _CRITICAL:
            parts.append(Kept(at, end))  # also cut off, as decoders take the last one
        elif not name or not name[0] & 0x20:
            raise CannotStrip("a critical PNG chunk is not known")
        elif end > len(data):
            raise CannotStrip("a PNG chunk is longer than the file")
        elif name in _KEPT and _is_sound(view[at:end]):
            parts.append(Kept(at, end))
        if name == b"IHDR" and keeps_orientation(orientation):
            parts.append(_chunk(b"eXIf", orientation_exif(orientation)))
    return joined(data, parts)


def _is_sound(chunk: memoryview) -> bool:
    return zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big")


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(name + content).to_bytes(4, "big")
    return len(content).to_bytes(4, "big") + name + content + checksum
