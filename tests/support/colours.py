"""A picture of four colours, and what became of it at known places."""

from __future__ import annotations

import io
import struct
from typing import Any

from PIL import Image

from batchscan.images.conversion.decode import decode
from batchscan.images.conversion.recipe import Converted, TooManyPixels, to_jpeg
from batchscan.images.kinds import ImageFormat

COLOURS = ((200, 50, 30), (20, 180, 60), (30, 60, 210), (128, 128, 128))
SIZE = (300, 200)
CLOSE = 6  # of 255: JPEG and chroma subsampling on both sides
TURNED = 6  # EXIF's word for a picture that is to be turned clockwise


def source(size: tuple[int, int] = SIZE) -> Image.Image:
    """Four fields, so that turning, mirroring and exchanging channels show."""
    picture = Image.new("RGB", size)
    width, height = size[0] // 2, size[1] // 2
    for number, colour in enumerate(COLOURS):
        picture.paste(colour, (number % 2 * width, number // 2 * height, size[0], size[1]))
    picture.paste(COLOURS[0], (0, 0, width, height))
    picture.paste(COLOURS[1], (width, 0, size[0], height))
    picture.paste(COLOURS[2], (0, height, width, size[1]))
    picture.paste(COLOURS[3], (width, height, size[0], size[1]))
    return picture


GREYS = tuple(
    (value,) * 3
    for value in (
        source().convert("L").getpixel(place)
        for place in ((75, 50), (225, 50), (75, 150), (225, 150))
    )
)


def saved(picture: Image.Image, form: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def made_of(kind: ImageFormat, data: bytes, limit: int = 300_000_000) -> Converted:
    """What the recipe makes of a file."""

    def check(width: int, height: int) -> None:
        if width * height > limit:
            raise TooManyPixels(width, height, limit)

    return to_jpeg(decode(kind, io.BytesIO(data), check))


def converted(kind: ImageFormat, data: bytes, limit: int = 300_000_000) -> Image.Image:
    made = made_of(kind, data, limit)
    opened = Image.open(io.BytesIO(made.data), formats=("JPEG",))
    assert opened.size == (made.width, made.height)
    assert "exif" not in opened.info
    assert "icc_profile" not in opened.info
    return opened.convert("RGB")


def colour_at(picture: Image.Image, place: tuple[int, int]) -> tuple[int, ...]:
    colour = picture.getpixel(place)
    assert isinstance(colour, tuple)
    return colour


def assert_shows(picture: Image.Image, colours: tuple[Any, ...] = COLOURS, size=SIZE) -> None:
    assert picture.size == size
    width, height = size
    places = [(x * width // 4, y * height // 4) for y in (1, 3) for x in (1, 3)]
    found = [colour_at(picture, place) for place in places]
    for got, wanted in zip(found, colours, strict=True):
        assert max(abs(a - b) for a, b in zip(got, wanted, strict=True)) <= CLOSE, found


SHORTS = frozenset({258, 259, 262, 266, 274, 277, 284, 317, 338, 339, 530})
"""Tags whose values have 16 bits; those of others have 32."""


def tiff(
    tags: dict[int, list[int] | bytes],
    parts: list[bytes],
    *,
    order: str = "<",
    big: bool = False,
    tiled: bool = False,
) -> bytes:
    """A TIFF, as other programs write them.

    Args:
        tags: bytes for those of undefined type (7).
        parts: its strips or tiles, compressed as the tags say.
        order: of bytes.
        big: BigTIFF.
        tiled: the parts are tiles.
    """
    offset, count, room = ("Q", "Q", 8) if big else ("I", "H", 4)
    data, places = bytearray(16 if big else 8), []
    for part in parts:
        places.append(len(data))
        data += part + bytes(len(part) % 2)
    found = {**tags, 324 if tiled else 273: places, 325 if tiled else 279: list(map(len, parts))}
    entries = b""
    for tag, values in sorted(found.items()):
        kind, code = (3, "H") if tag in SHORTS else (4, "I")
        if isinstance(values, bytes):
            kind, packed = 7, values
        else:
            packed = struct.pack(f"{order}{len(values)}{code}", *values)
        if len(packed) > room:
            place = len(data)
            data += packed + bytes(len(packed) % 2)
            packed = struct.pack(order + offset, place)
        entries += struct.pack(f"{order}HH{offset}", tag, kind, len(values)) + packed.ljust(
            room, b"\0"
        )
    start = struct.pack(order + offset, len(data))
    magic = (b"II+\0" if big else b"II*\0") if order == "<" else (b"MM\0+" if big else b"MM\0*")
    data[: len(magic)] = magic
    head = struct.pack(f"{order}HH", 8, 0) + start if big else start
    data[4 : 4 + len(head)] = head
    return bytes(data) + struct.pack(order + count, len(found)) + entries + bytes(room)
