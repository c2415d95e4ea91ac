"""Decoding pictures for a comparison of their pixels, reduced where they are large."""

from __future__ import annotations

from contextlib import suppress
from typing import Final, Literal

import numpy as np
from PIL import Image as Pillow
from PIL.JpegImagePlugin import JpegImageFile

from batchscan.images import kinds
from batchscan.images.conversion.bands import CONVERTIBLE, shrink_to_eight_bits
from batchscan.images.headers import claimed_size
from batchscan.images.metadata.exif import exif_of
from batchscan.images.metadata.ifd import ORIENTATION
from batchscan.images.raster import open_raster
from batchscan.images.sending import is_converted
from batchscan.images.thumbnail import TURNS
from batchscan.model import Image
from batchscan.renditions.pixels import SIDE, Pixels, Table
from batchscan.util.weighted_semaphore import WeightedSemaphore

_SCALES: Final = (8, 4, 2)  # at which a JPEG can be decoded
_EXACT: Final = ("PNG", "BMP", "ICO")  # Pillow's formats that change no value
_PLANES: Final = 3


def make_pixels(image: Image, pixels: WeightedSemaphore) -> Pixels | None:
    """The pixels of what is sent for a picture; None if it cannot be decoded. Blocking.

    Args:
        image: with its bytes.
        pixels: the bound on pixels decoded at once.
    """
    kind = kinds.JPEG if is_converted(image) else kinds.BY_NAME[image.kind]
    claimed = claimed_size(kind, image.data)
    weight = max(image.width * image.height, claimed.pixels if claimed else 0)
    # The decoders' boundary, as in `raster`: their exceptions are undocumented.
    with pixels.hold(weight), suppress(Exception):
        found = pixels_of(open_raster(kind, image.data))
        if found is not None and is_converted(image):
            return found._replace(saved="somehow", tables=())  # its first compression is unknown
        return found
    return None


def pixels_of(image: Pillow.Image) -> Pixels | None:
    """The pixels of an opened picture; None for a mode that cannot be compared."""
    size, exact = image.size, image.format in _EXACT and image.mode != "P"
    turn = TURNS.get(exif_of(image.info).number(ORIENTATION))
    tables, sampling = _compression(image)
    longer = max(size)
    scale = next((each for each in _SCALES if longer >= each * SIDE), 1)
    if isinstance(image, JpegImageFile) and image.mode == "RGB":
        # As stored: no value is cut off that another colour space lacks.
        image.draft("YCbCr", (size[0] // scale, size[1] // scale))
    elif isinstance(image, JpegImageFile):
        image.draft(None, (size[0] // scale, size[1] // scale))
    image.load()
    if image.mode not in CONVERTIBLE:
        return None
    if image.mode != "YCbCr":
        image = shrink_to_eight_bits(image, SIDE // 2).convert("RGB").convert("YCbCr")
    step = round(size[0] / image.width), round(size[1] / image.height)
    extent = size[0] / step[0], size[1] / step[1]
    if turn is not None:
        size, extent, image = _turned(size, extent, image, turn)
    if turn is not None or image.size != size:
        tables = ()
    saved: Literal["exactly", "jpeg", "somehow"]
    saved = "jpeg" if tables else "exactly" if exact else "somehow"
    luma, blue, red = image.split()
    return Pixels(size, (luma, blue, red), extent, saved, tables, sampling)


def _turned(
    size: tuple[int, int],
    extent: tuple[float, float],
    image: Pillow.Image,
    turn: Pillow.Transpose,
) -> tuple[tuple[int, int], tuple[float, float], Pillow.Image]:
    """The picture upright, without a partial last row or column."""
    whole = int(extent[0]), int(extent[1])
    if whole != image.size or whole != extent:
        image = image.resize(whole, Pillow.Resampling.LANCZOS, (0, 0, *extent))
    upright = image.transpose(turn)
    return (size if upright.size == whole else size[::-1]), upright.size, upright


def _compression(image: Pillow.Image) -> tuple[tuple[Table, ...], tuple[int, int]]:
    """The tables and sampling of a JPEG; none of another format, and of unusual ones."""
    if not isinstance(image, JpegImageFile) or image.mode not in ("L", "RGB"):
        return (), (2, 2)
    luma, *colours = image.layer
    tables = tuple(np.array(image.quantization[layer[3]], np.float32) for layer in image.layer)
    if not colours:
        return tables, (2, 2)
    sampling = {(luma[1] // layer[1], luma[2] // layer[2]) for layer in colours}
    if len(sampling) != 1 or len(tables) != _PLANES:
        return (), (2, 2)
    return tables, sampling.pop()
