"""Close-ups of pictures that may be versions of each other: their pixels, and how they were saved."""

from __future__ import annotations

from contextlib import suppress
from typing import Final, NamedTuple

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
from batchscan.rendition_types import CloseUp
from batchscan.util.weighted_semaphore import WeightedSemaphore

SIDE: Final = 1_600
"""Pixels of the longer side from twice of which on a picture is reduced: 3,199 are left at most."""

_EXACT: Final = ("PNG", "BMP", "ICO", "GIF")  # Pillow's formats that change no value
_SAMPLINGS: Final = {(1, 1), (2, 1), (2, 2), (1, 2)}
_AS_STORED: Final = ("L", "RGB", "YCbCr")


def make_close_up(image: Image, pixels: WeightedSemaphore) -> CloseUp | None:
    """The close-up of what is sent for a picture; None if it cannot be decoded. Blocking.

    Args:
        image: with its bytes.
        pixels: the bound on pixels decoded at once.
    """
    kind = kinds.JPEG if is_converted(image) else kinds.BY_NAME[image.kind]
    claimed = claimed_size(kind, image.data)
    weight = max(image.width * image.height, claimed.pixels if claimed else 0)
    # The decoders' boundary, as in `raster`: their exceptions are undocumented.
    with pixels.hold(weight), suppress(Exception):
        found = close_up_of(open_raster(kind, image.data))
        if found is not None and found.saved == "jpeg" and is_converted(image):
            return found._replace(saved="somehow")  # the JPEG's compression is the lesser one
        return found
    return None


class _Compression(NamedTuple):
    """How a JPEG was compressed."""

    tables: tuple[tuple[int, ...], ...]
    sampling: tuple[int, int]


def close_up_of(image: Pillow.Image) -> CloseUp | None:
    """The close-up of an opened picture; None for a mode that cannot be compared."""
    turn = TURNS.get(exif_of(image.info).number(ORIENTATION))
    how = _compression(image)
    if how is not None and image.mode == "RGB":
        image.draft("YCbCr", None)  # as stored: no value is cut off that another colour space lacks
    image.load()
    if image.mode not in (*CONVERTIBLE, "YCbCr"):
        return None
    if image.mode not in _AS_STORED:
        image = shrink_to_eight_bits(image, max(image.size)).convert("RGB")
    exact, full_size = image.format in _EXACT, image.size
    colours = image.convert("YCbCr")
    step = max(1, max(full_size) // SIDE)
    if step > 1:
        colours, how = colours.reduce(step), None
    luma, blue, red = colours.split()
    extent = full_size[0] / step, full_size[1] / step
    return CloseUp(
        *colours.size,
        extent,
        (luma.tobytes(), blue.tobytes(), red.tobytes()),
        "reduced" if step > 1 else "jpeg" if how else "exactly" if exact else "somehow",
        *(how or _Compression((), (2, 2))),
        None if turn is None else int(turn),
    )


def _compression(image: Pillow.Image) -> _Compression | None:
    """How a JPEG was compressed; None for another format, and for unusual ones."""
    if not isinstance(image, JpegImageFile) or image.mode not in ("L", "RGB"):
        return None
    luma, *colours = image.layer
    tables = tuple(tuple(image.quantization[layer[3]]) for layer in image.layer)
    if not colours:
        return _Compression(tables, (2, 2))
    sampling = {(luma[1] // layer[1], luma[2] // layer[2]) for layer in colours}
    if len(sampling) != 1 or not sampling <= _SAMPLINGS:
        return None
    return _Compression(tables, sampling.pop())
