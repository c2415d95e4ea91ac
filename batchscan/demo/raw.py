"""A camera RAW made by hand: the smallest DNG that a RAW decoder unpacks (Adobe's DNG 1.4)."""

from __future__ import annotations

import struct

import numpy as np
from PIL import Image

BYTE, ASCII, SHORT, LONG, RATIONAL, SRATIONAL = 1, 2, 3, 4, 5, 10
HEADER = struct.pack("<2sHL", b"II", 42, 8)
# From CIE XYZ to the linear colours of sRGB (IEC 61966-2-1), in ten-thousandths.
COLOUR_MATRIX = (32406, -15372, -4986, -9689, 18758, 415, 557, -2040, 10570)
GAMMA = 2.2  # of sRGB, nearly
BLACK, WHITE = 0, 65535

Tag = tuple[int, int, int, bytes]  # number, type, count, value


def dng(picture: Image.Image) -> bytes:
    """The file of a camera that saw `picture`, of even width and height: 16 bits a pixel."""
    data = _mosaic(picture)
    width, height = picture.size
    tags = _tags(width, height, len(data))
    # The values that do not fit into their entry follow the directory, then the strip.
    behind = 8 + 2 + 12 * len(tags) + 4
    strip = behind + sum(len(value) for *_, value in tags if len(value) > 4)  # noqa: PLR2004
    tags = _tags(width, height, len(data), strip)
    entries, values = b"", b""
    for number, kind, count, value in tags:
        if len(value) > 4:  # noqa: PLR2004 - an entry holds four bytes
            place = struct.pack("<L", behind + len(values))
            values += value
        else:
            place = value.ljust(4, b"\0")
        entries += struct.pack("<HHL", number, kind, count) + place
    return HEADER + struct.pack("<H", len(tags)) + entries + bytes(4) + values + data


def _mosaic(picture: Image.Image) -> bytes:
    """The values of a sensor under a Bayer pattern: red and green, green and blue, row by row."""
    linear = np.linspace(0, 1, 256) ** GAMMA * (WHITE - BLACK) + BLACK
    colours = linear.astype("<u2")[np.asarray(picture.convert("RGB"))]
    seen = colours[:, :, 1].copy()
    seen[::2, ::2] = colours[::2, ::2, 0]
    seen[1::2, 1::2] = colours[1::2, 1::2, 2]
    pixels: bytes = seen.tobytes()
    return pixels


def _tags(width: int, height: int, size: int, strip: int = 0) -> list[Tag]:
    def shorts(number: int, *values: int) -> Tag:
        return number, SHORT, len(values), struct.pack(f"<{len(values)}H", *values)

    def longs(number: int, *values: int) -> Tag:
        return number, LONG, len(values), struct.pack(f"<{len(values)}L", *values)

    def text(number: int, value: bytes) -> Tag:
        return number, ASCII, len(value) + 1, value + b"\0"

    matrix = b"".join(struct.pack("<ll", part, 10000) for part in COLOUR_MATRIX)
    neutral = struct.pack("<LL", 1, 1) * 3
    return [  # in the order of their numbers, as TIFF wants
        longs(254, 0),  # the main picture
        longs(256, width),
        longs(257, height),
        shorts(258, 16),  # bits a sample
        shorts(259, 1),  # uncompressed
        shorts(262, 32803),  # colour filter array
        text(271, b"batchscan"),
        text(272, b"demo camera"),
        longs(273, strip),
        shorts(277, 1),  # samples a pixel
        longs(278, height),
        longs(279, size),
        shorts(33421, 2, 2),  # the pattern's size
        (33422, BYTE, 4, bytes((0, 1, 1, 2))),  # red, green, green, blue
        (50706, BYTE, 4, bytes((1, 4, 0, 0))),  # DNG version
        text(50708, b"batchscan demo camera"),
        longs(50717, WHITE),
        (50721, SRATIONAL, 9, matrix),
        (50728, RATIONAL, 3, neutral),
    ]
