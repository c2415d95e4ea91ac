"""TIFF pixels that Pillow reads wrong or not at all, put together with 8 bits a channel.

Floating-point ones, those of 9 to 15 bits, and 16-bit channels in planes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np
from PIL import Image

from batchscan.images.conversion.bands import shrink_to_eight_bits
from batchscan.images.conversion.floats import FloatScale
from batchscan.images.conversion.recipe import LONG_SIDE, CannotConvert
from batchscan.images.conversion.tiff_parts import COMPRESSIONS, CutOff, Part, blocks, pixels_of
from batchscan.images.metadata import ifd
from batchscan.images.metadata.ifd import Directory

FLOAT: Final = 3  # a sample format
PLANES: Final = 2  # of a planar configuration
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _CMYK = 0, 1, 2, 5
_COLOURS: Final = {
    _WHITE_IS_ZERO: ("L", 1),
    _BLACK_IS_ZERO: ("L", 1),
    _RGB: ("RGB", 3),
    _CMYK: ("CMYK", 4),
}
_ASSOCIATED, _UNASSOCIATED = 1, 2
_WITH_ALPHA: Final = {("L", 1): "La", ("L", 2): "LA", ("RGB", 1): "RGBa", ("RGB", 2): "RGBA"}
_NO_PREDICTOR, _HORIZONTAL, _FLOATING = 1, 2, 3
_BYTE: Final = 8
_FLOATS: Final = (16, 32, 64)  # bits
_SIXTEEN: Final = 16  # bits
_MAX_CHANNELS: Final = 100  # that are named in a message


@dataclass(frozen=True, slots=True)
class _Samples:
    """How the numbers of a row are stored."""

    order: str
    bits: int
    is_float: bool
    predictor: int
    compression: int
    channels: int  # that lie side by side

    def row_bytes(self, width: int) -> int:
        return (width * self.channels * self.bits + 7) // _BYTE

    def numbers(self, block: bytes, width: int) -> np.ndarray:
        """Whole rows as (rows, width, channels)."""
        stored = np.frombuffer(block, np.uint8).reshape(-1, self.row_bytes(width))
        count = width * self.channels
        if self.bits % _BYTE:
            values = self._unpacked(stored, count)
        elif self.predictor == _FLOATING:
            values = self._floats(stored, count)
        else:
            values = stored.view(f"{self.order}u{self.bits // _BYTE}")
            if self.predictor == _HORIZONTAL:
                values = self._summed(values.astype(values.dtype.newbyteorder("=")))
            if self.is_float:
                values = values.view(values.dtype.str.replace("u", "f"))
        return values.reshape(-1, width, self.channels)

    def _unpacked(self, stored: np.ndarray, count: int) -> np.ndarray:
        """Numbers of 9 to 15 bits, which begin anywhere in a byte and end within three."""
        padded = np.pad(stored, ((0, 0), (0, 2))).astype(np.uint32)
        starts = np.arange(count) * self.bits
        at, over = starts >> 3, starts & 7
        three = padded[:, at] << 16 | padded[:, at + 1] << 8 | padded[:, at + 2]
        return three >> (24 - self.bits - over).astype(np.uint32) & ((1 << self.bits) - 1)

    def _floats(self, stored: np.ndarray, count: int) -> np.ndarray:
        """Undo the predictor that keeps bytes of like weight together (Adobe TIFF note 3)."""
        bytes_of = self._summed(stored).reshape(-1, self.bits // _BYTE, count)
        whole_numbers = np.ascontiguousarray(bytes_of.transpose(0, 2, 1))
        return whole_numbers.view(f">f{self.bits // _BYTE}")

    def _summed(self, differences: np.ndarray) -> np.ndarray:
        """Add up each channel along its row; sums wrap, as differences did."""
        apart = differences.reshape(len(differences), -1, self.channels)
        return np.cumsum(apart, axis=1, dtype=differences.dtype).reshape(differences.shape)


def is_deep(page: Directory) -> bool:
    """Whether a page is one of those that `decode_pixels` is for."""
    bits = max(page.numbers(ifd.BITS) or (1,))
    planes = page.first(ifd.PLANAR, 1) == PLANES and page.first(ifd.CHANNELS, 1) > 1
    is_float = max(page.numbers(ifd.SAMPLE_FORMAT) or (1,)) == FLOAT
    return is_float or _BYTE < bits < _SIXTEEN or (bits == _SIXTEEN and planes)


def decode_pixels(
    page: Directory, file: BinaryIO, profile: bytes | None
) -> tuple[Image.Image, bytes | None]:
    """One page with 8 bits a channel, not turned; also the profile of what came out.

    A page in planes comes near the size to send: each plane is shrunk by itself, so that the
    memory is that of one.

    Raises:
        CannotConvert: its pixels are of a kind that is not decoded here.
        CutOff: there are fewer pixels than there should be.
        Exception: whatever a decoder raises over a damaged file.
    """
    mode, channel_count = _mode(page)
    samples = _samples(page)
    scale = None
    if samples.is_float:
        scale = FloatScale(profile, _float_mode(page, mode))
        profile = scale.profile
    if samples.channels < page.first(ifd.CHANNELS, 1):
        planes = [_plane(page, file, samples, scale, number) for number in range(channel_count)]
        picture = Image.merge(mode, planes)
    else:
        picture = _picture(page, file, samples, mode, scale)
    if scale:
        scale.check()
    return picture, profile


def _mode(page: Directory) -> tuple[str, int]:
    """Pillow's mode, and how many channels it takes of those that there are."""
    photometric = page.first(ifd.PHOTOMETRIC)
    mode, colours = _COLOURS.get(photometric, ("", 0))
    channels = page.first(ifd.CHANNELS, 1)
    if not 0 < colours <= channels:
        raise _unusual(page)
    extra = page.first(ifd.EXTRA_SAMPLES) if channels > colours else 0
    if extra not in (_ASSOCIATED, _UNASSOCIATED):
        return mode, colours
    if (mode, extra) not in _WITH_ALPHA or photometric == _WHITE_IS_ZERO:
        raise _unusual(page)
    return _WITH_ALPHA[mode, extra], colours + 1


def _float_mode(page: Directory, mode: str) -> str:
    """The mode without transparency, where its colours are not multiplied by that."""
    if mode not in ("L", "RGB", "LA", "RGBA") or not page.first(ifd.PHOTOMETRIC):
        raise _unusual(page)
    return mode.removesuffix("A")


def _samples(page: Directory) -> _Samples:
    bits = set(page.numbers(ifd.BITS)) or {1}
    channels = page.first(ifd.CHANNELS, 1)
    is_float = page.first(ifd.SAMPLE_FORMAT, 1) == FLOAT
    samples = _Samples(
        page.order,
        bits.pop(),
        is_float,
        page.first(ifd.PREDICTOR, _NO_PREDICTOR),
        page.first(ifd.COMPRESSION, 1),
        1 if page.first(ifd.PLANAR, 1) == PLANES else channels,
    )
    supported = samples.bits in _FLOATS if is_float else samples.bits <= _SIXTEEN
    predictors = [_NO_PREDICTOR]
    if not samples.bits % _BYTE:
        predictors += [_HORIZONTAL, _FLOATING] if is_float else [_HORIZONTAL]
    if (
        bits  # they differ from channel to channel
        or not supported
        or samples.predictor not in predictors
        or samples.compression not in COMPRESSIONS
        or page.first(ifd.FILL_ORDER, 1) != 1
    ):
        raise _unusual(page)
    return samples


def _unusual(page: Directory) -> CannotConvert:
    bits = "/".join(str(depth) for depth in sorted(set(page.numbers(ifd.BITS)[:_MAX_CHANNELS])))
    return CannotConvert(
        f"its {bits}-bit channels are stored in an unusual way (compression"
        f" {page.first(ifd.COMPRESSION, 1)}, colours {page.first(ifd.PHOTOMETRIC)}); save it with 8"
        " bits a channel"
    )


def _plane(
    page: Directory, file: BinaryIO, samples: _Samples, scale: FloatScale | None, number: int
) -> Image.Image:
    is_alpha = number == _COLOURS[page.first(ifd.PHOTOMETRIC)][1]
    whole_size = _picture(page, file, samples, "L", None if is_alpha else scale, number)
    return shrink_to_eight_bits(whole_size, LONG_SIDE)


def _picture(
    page: Directory,
    file: BinaryIO,
    samples: _Samples,
    mode: str,
    scale: FloatScale | None,
    plane: int = 0,
) -> Image.Image:
    picture = Image.new(mode, (page.width, page.height))
    channel_count = len(picture.getbands())
    top = 0
    for values in _rows(page, file, samples, plane):
        band = _eight_bits(
            values[:, :, :channel_count], samples, scale, has_alpha=mode.endswith("A")
        )
        size = (page.width, len(values))
        picture.paste(Image.frombytes(mode, size, band.tobytes()), (0, top))
        top += len(values)
    if top < page.height:
        raise CutOff
    return picture


def _eight_bits(
    values: np.ndarray, samples: _Samples, scale: FloatScale | None, *, has_alpha: bool
) -> np.ndarray:
    if scale is not None:
        colours = scale.eight_bits(values[:, :, :-1] if has_alpha else values)
        if not has_alpha:
            return colours
        return np.concatenate((colours, _opacity(values[:, :, -1:])), axis=2)
    if samples.is_float:
        return _opacity(values)
    most = (1 << samples.bits) - 1
    numbers = values.astype(np.uint32)
    return np.asarray((numbers * 255 + most // 2) // most, np.uint8)


def _opacity(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.clip(np.nan_to_num(values, nan=1.0), 0, 1) * 255 + 0.5, np.uint8)


def _rows(page: Directory, file: BinaryIO, samples: _Samples, plane: int) -> Iterator[np.ndarray]:
    """The numbers of one plane, some rows at a time."""
    if ifd.TILE_OFFSETS in page:
        yield from _tiles(page, file, samples, plane)
        return
    most = page.first(ifd.ROWS_PER_STRIP) or page.height
    down = -(-page.height // most)
    places = _places(page, ifd.STRIP_OFFSETS, ifd.STRIP_BYTES)[plane * down :][:down]
    row_bytes = samples.row_bytes(page.width)
    for number, (offset, size) in enumerate(places):
        part = Part(offset, size, min(most, page.height - number * most), row_bytes)
        for block in blocks(file, part, samples.compression):
            yield samples.numbers(block, page.width)


def _tiles(page: Directory, file: BinaryIO, samples: _Samples, plane: int) -> Iterator[np.ndarray]:
    width, height = page.first(ifd.TILE_WIDTH), page.first(ifd.TILE_HEIGHT)
    if not (width and height):
        raise CutOff
    across, down = -(-page.width // width), -(-page.height // height)
    places = _places(page, ifd.TILE_OFFSETS, ifd.TILE_BYTES)[plane * across * down :]
    for number in range(down):
        row = [
            samples.numbers(
                pixels_of(
                    file, Part(offset, size, height, samples.row_bytes(width)), samples.compression
                ),
                width,
            )
            for offset, size in places[number * across :][:across]
        ]
        if len(row) < across:
            raise CutOff
        yield np.concatenate(row, axis=1)[: page.height - number * height, : page.width]


def _places(page: Directory, offsets: int, sizes: int) -> list[tuple[int, int]]:
    return list(zip(page.numbers(offsets), page.numbers(sizes), strict=False))
