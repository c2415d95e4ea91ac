"""Reducing any decoded picture to 8-bit pixels on white, near the wanted size, in little memory.

Works in bands of rows: a picture of 200 megapixels takes 800 MB in Pillow, and a second copy of
it in another mode would not fit.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from PIL import Image, ImageOps

BAND_PIXELS: Final = 4_000_000
"""Pixels of a band; rows are rounded to whole ones."""

_MAX_FIRST_STEP: Final = 2  # times the wanted size that is left for the better filter
_SIXTEEN_BITS: Final = frozenset({"I;16", "I;16B", "I;16L", "I;16N"})
_AS_THEY_ARE: Final = frozenset({"L", "RGB", "CMYK", "LAB"})
_WITH_ALPHA: Final = frozenset({"RGBA", "RGBa", "LA", "La", "PA"})
_EASY: Final = frozenset({"1", "P", "RGBX", "YCbCr", "HSV"})

CONVERTIBLE: Final = _SIXTEEN_BITS | _AS_THEY_ARE | _WITH_ALPHA | _EASY
"""Pillow's modes of which a right picture can be made."""


def shrink_to_eight_bits(
    image: Image.Image, long_side: int, *, inverted: bool = False
) -> Image.Image:
    """The picture as "L", "RGB", "CMYK" or "LAB", at most about twice as long as wanted.

    Args:
        image: of a mode in `CONVERTIBLE`; its pixels may still be undecoded.
        long_side: the wanted longer side, in pixels; the picture is not brought below it.
        inverted: the values count from white.
    """
    step = max(1, max(image.size) // (_MAX_FIRST_STEP * long_side))
    rows = max(1, BAND_PIXELS // max(1, image.width) // step) * step
    image.load()
    if rows >= image.height and step == 1:
        return _eight_bits(image, inverted=inverted)
    small: Image.Image | None = None
    for top in range(0, image.height, rows):
        box = (0, top, image.width, min(image.height, top + rows))
        band = _eight_bits(image.crop(box), inverted=inverted)
        band = band.reduce(step) if step > 1 else band
        if small is None:
            height = -(-image.height // step)
            small = Image.new(band.mode, (band.width, height))
        small.paste(band, (0, top // step))
    assert small is not None  # noqa: S101 - a decoded picture has rows
    return small


def _eight_bits(band: Image.Image, *, inverted: bool) -> Image.Image:
    if band.mode in _SIXTEEN_BITS:
        band = _from_sixteen(band)
    elif _is_transparent(band):
        band = _on_white(band)
    elif band.mode not in _AS_THEY_ARE:
        band = band.convert("L" if band.mode == "1" else "RGB")
    return ImageOps.invert(band) if inverted else band


def _from_sixteen(band: Image.Image) -> Image.Image:
    """The upper halves of 16-bit grey values; Pillow's own conversion clips them to white."""
    values = np.asarray(band)
    return Image.fromarray((values // 257).astype(np.uint8))


def _is_transparent(band: Image.Image) -> bool:
    return band.mode in _WITH_ALPHA or "transparency" in band.info


def _on_white(band: Image.Image) -> Image.Image:
    if band.mode == "RGBa":
        band = band.convert("RGBA")
    elif band.mode == "La":
        band = band.convert("LA")
    layer = band.convert("RGBA")
    white = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(white, layer).convert("RGB")
