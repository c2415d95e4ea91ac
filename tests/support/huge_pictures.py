"""Pictures of 200 megapixels, made row by row: four fields of colour, few bytes, real pixels."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

from batchscan.images.conversion import icc
from tests.support.colours import saved, tiff

WIDTH, HEIGHT = 20_000, 10_000
_ROWS = 16  # of a row of a JPEG's blocks
_STRIP = 100  # rows


def jpeg(colours, height: int = HEIGHT) -> bytes:
    """Rows of blocks between restart markers, each of which is the same within a half."""

    def rows(left, right) -> bytes:
        one = Image.new("RGB", (WIDTH, _ROWS), right)
        one.paste(left, (0, 0, WIDTH // 2, _ROWS))
        return saved(one, "JPEG", quality=90, restart_marker_rows=1)

    upper, lower = rows(*colours[:2]), rows(*colours[2:])
    scan = upper.index(b"\xff\xda")
    start = scan + 2 + int.from_bytes(upper[scan + 2 : scan + 4], "big")
    head = bytearray(upper[:start])
    frame = head.index(b"\xff\xc0")
    head[frame + 5 : frame + 7] = height.to_bytes(2, "big")
    count = height // _ROWS
    parts = [(upper, lower)[number >= count // 2][start:-2] for number in range(count)]
    marked = [part + bytes((0xFF, 0xD0 + number % 8)) for number, part in enumerate(parts)]
    return bytes(head) + b"".join(marked)[:-2] + b"\xff\xd9"


def png(colours) -> bytes:
    """Rows that are equal to those above them."""
    out = io.BytesIO()
    out.write(
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">II5B", WIDTH, HEIGHT, 8, 2, 0, 0, 0))
    )
    packer = zlib.compressobj(1)
    equal = b"\2" + bytes(3 * WIDTH)
    for half in (colours[:2], colours[2:]):
        first = b"\0" + b"".join(bytes(colour) * (WIDTH // 2) for colour in half)
        out.write(_chunk(b"IDAT", packer.compress(first)))
        for _ in range(HEIGHT // 2 - 1):
            if part := packer.compress(equal):
                out.write(_chunk(b"IDAT", part))
    out.write(_chunk(b"IDAT", packer.flush()) + _chunk(b"IEND", b""))
    return out.getvalue()


def tiff_of(colours, *, floats: bool = False) -> bytes:
    """Strips that are equal within a half."""

    def strip(left, right) -> bytes:
        pixels = np.empty((_STRIP, WIDTH, 3), np.uint8)
        pixels[:, : WIDTH // 2], pixels[:, WIDTH // 2 :] = left, right
        data = (pixels / 255).astype("<f4") if floats else pixels
        return zlib.compress(data.tobytes(), 1)

    tags: dict[int, list[int] | bytes] = {
        256: [WIDTH], 257: [HEIGHT], 258: [32 if floats else 8] * 3, 259: [8], 262: [2], 277: [3],
        278: [_STRIP],
    }  # fmt: skip
    if floats:
        tags |= {339: [3] * 3, 34675: icc.srgb()}
    half = HEIGHT // _STRIP // 2
    return tiff(tags, [strip(*colours[:2])] * half + [strip(*colours[2:])] * half)


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)
