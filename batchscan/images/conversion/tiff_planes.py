"""TIFF with 16-bit channels in planes, which Pillow reads as if they were interleaved.

Each plane is made a TIFF of one grey channel, which Pillow reads right, and the channels are put
together again with 8 bits each. Each is shrunk by itself, so that the memory is that of one.
"""

from __future__ import annotations

import io
import struct
from typing import BinaryIO, Final

from PIL import Image, TiffImagePlugin

from batchscan.images.conversion.bands import shrink_to_eight_bits
from batchscan.images.conversion.recipe import LONG_SIDE, CannotConvert

_RGB: Final = 2
_CMYK: Final = 5
_LAYOUT: Final = {
    (_RGB, 3, 0): "RGB",
    (_RGB, 4, 1): "RGBa",
    (_RGB, 4, 2): "RGBA",
    (_CMYK, 4, 0): "CMYK",
}
"""Pillow's mode by photometric interpretation, number of channels, and kind of the extra one."""

_EXTRA_SAMPLES: Final = 338
_KEPT: Final = (
    TiffImagePlugin.IMAGEWIDTH,
    TiffImagePlugin.IMAGELENGTH,
    TiffImagePlugin.COMPRESSION,
    TiffImagePlugin.FILLORDER,
    TiffImagePlugin.ROWSPERSTRIP,
    TiffImagePlugin.PREDICTOR,
    TiffImagePlugin.TILEWIDTH,
    TiffImagePlugin.TILELENGTH,
)
_GREY: Final[dict[int, tuple[int, ...]]] = {
    TiffImagePlugin.BITSPERSAMPLE: (16,),
    TiffImagePlugin.PHOTOMETRIC_INTERPRETATION: (1,),
    TiffImagePlugin.SAMPLESPERPIXEL: (1,),
}
_HEADER: Final = 8  # bytes: order, magic, offset of the directory
_LONG: Final = 4  # the type of a tag's values, and their size in bytes
_PLACES: Final = (
    (TiffImagePlugin.STRIPOFFSETS, TiffImagePlugin.STRIPBYTECOUNTS),
    (TiffImagePlugin.TILEOFFSETS, TiffImagePlugin.TILEBYTECOUNTS),
)
_MAX_PARTS: Final = 1_000_000  # strips or tiles of one plane


def decode_planes(image: TiffImagePlugin.TiffImageFile, file: BinaryIO) -> Image.Image:
    """The page that `image` is at, with 8 bits a channel, near the size to send, not turned.

    Raises:
        CannotConvert: its channels are of a kind that is not put together here.
        Exception: whatever the decoder raises over a damaged file.
    """
    tags = image.tag_v2
    channels = int(tags.get(TiffImagePlugin.SAMPLESPERPIXEL, 1))
    photometric = int(tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION, 0))
    extra = next(iter(tags.get(_EXTRA_SAMPLES, ())), 0)
    mode = _LAYOUT.get((photometric, channels, extra))
    if mode is None:
        raise CannotConvert(
            "its 16-bit channels lie in planes of an unusual kind; save it with 8 bits a channel"
        )
    planes = [_plane(tags, file, number, channels) for number in range(channels)]
    return Image.merge(mode, planes)


def _plane(
    tags: TiffImagePlugin.ImageFileDirectory_v2, file: BinaryIO, number: int, channels: int
) -> Image.Image:
    with Image.open(io.BytesIO(_as_grey(tags, file, number, channels)), formats=("TIFF",)) as grey:
        return shrink_to_eight_bits(grey, LONG_SIDE)


def _as_grey(
    tags: TiffImagePlugin.ImageFileDirectory_v2, file: BinaryIO, number: int, channels: int
) -> bytes:
    """A whole TIFF of one plane."""
    offsets_tag, sizes_tag = next((pair for pair in _PLACES if pair[0] in tags), _PLACES[0])
    offsets, sizes = tuple(tags[offsets_tag]), tuple(tags[sizes_tag])
    parts = len(offsets) // channels
    if not 0 < parts <= _MAX_PARTS or len(sizes) != len(offsets):
        raise CannotConvert("its planes are incomplete")
    kept = slice(number * parts, (number + 1) * parts)
    data = io.BytesIO()
    data.write(bytes(_HEADER))
    places = []
    for offset, size in zip(offsets[kept], sizes[kept], strict=True):
        file.seek(offset)
        places.append(data.tell())
        data.write(file.read(size))
    entries: dict[int, tuple[int, ...]] = {tag: (int(tags[tag]),) for tag in _KEPT if tag in tags}
    entries |= _GREY | {offsets_tag: tuple(places), sizes_tag: sizes[kept]}
    _write_directory(data, entries, "<" if tags.prefix == b"II" else ">")
    return data.getvalue()


def _write_directory(data: io.BytesIO, entries: dict[int, tuple[int, ...]], order: str) -> None:
    """Write the values, the directory behind them, and the header in front."""
    directory = [struct.pack(f"{order}H", len(entries))]
    for tag, values in sorted(entries.items()):
        packed = struct.pack(f"{order}{len(values)}L", *values)
        if len(packed) > _LONG:
            place = data.tell()
            data.write(packed)
            packed = struct.pack(f"{order}L", place)
        directory.append(struct.pack(f"{order}HHL", tag, _LONG, len(values)) + packed)
    start = data.tell()
    data.write(b"".join(directory) + bytes(_LONG))
    data.seek(0)
    magic = b"II" if order == "<" else b"MM"
    data.write(magic + struct.pack(f"{order}HL", 42, start))
