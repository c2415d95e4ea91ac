"""Making thumbnails, so small that ten thousand of them fit into a page."""

from __future__ import annotations

import io
import math
from typing import Final

from PIL import Image

from batchscan.images.metadata.exif import exif_of
from batchscan.images.metadata.ifd import ORIENTATION

EDGE: Final = 96
"""Pixels that neither side has more of."""

ENOUGH: Final = 2_000
"""Bytes that are aimed at; of mere noise it is up to twice as many."""

_QUALITIES: Final = (60, 35, 15)
_GROUND: Final = (176, 176, 176)  # under transparency: shows black and white drawings
_GAP: Final = 3  # times the thumbnail's size that is left for the last step, a good filter
_BAND: Final = 1_000_000  # pixels converted at once
_DEEP: Final = ("I", "I;16", "I;16B", "I;16L", "I;16N")
TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def thumbnail(
    image: Image.Image, orientation: int = 1, decoded: Image.Image | None = None
) -> bytes:
    """Make a small JPEG of an opened picture's first frame.

    A JPEG, as it takes a hundredth of a WebP's time. It contains only pixels of the file. The
    decoder's exceptions are passed on.

    Args:
        image: as opened: a JPEG is decoded at a reduced scale.
        orientation: 1 to 8 as in EXIF, for a picture whose own EXIF has none.
        decoded: the pixels of the same JPEG, if they were decoded at `draft_scale` before.
    """
    if decoded is None:
        image.draft(None, _fitting(*image.size))
        image.load()
        decoded = image
    size = _fitting(*decoded.size)
    # Hamming's filter takes less than half of Lanczos's time, and looks the same at this size.
    small = _reduced(decoded, size).resize(size, Image.Resampling.HAMMING)
    canvas = Image.new("RGB", size, _GROUND)
    canvas.paste(small, mask=small if small.mode == "RGBA" else None)
    # After loading: in a PNG the EXIF may come behind the pixels.
    turn = TURNS.get(exif_of(image.info).number(ORIENTATION) or orientation)
    return small_jpeg(canvas if turn is None else canvas.transpose(turn))


def draft_scale(width: int, height: int) -> int:
    """How many times smaller a JPEG may be decoded for its thumbnail."""
    across, down = _fitting(width, height)
    return min(width // across, height // down)


def _fitting(width: int, height: int) -> tuple[int, int]:
    """The largest size of the same shape that fits."""
    scale = min(1.0, EDGE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _reduced(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Convert and shrink a picture to a few times `size`, in bands.

    Of 75 megapixels a whole copy in other colours, and one more without the transparent ones',
    would take as much memory again as the picture.
    """
    mode = "RGBA" if image.has_transparency_data else "RGB"
    across, down = (max(1, image.size[side] // size[side] // _GAP) for side in (0, 1))
    rows = max(1, _BAND // (image.width * down)) * down
    small = Image.new(mode, (math.ceil(image.width / across), math.ceil(image.height / down)))
    for top in range(0, image.height, rows):
        band = image.crop((0, top, image.width, min(image.height, top + rows)))
        small.paste(_in_mode(band, mode).reduce((across, down)), (0, top // down))
    return small


def _in_mode(band: Image.Image, mode: str) -> Image.Image:
    if band.mode in _DEEP:  # 16 bits, of which conversion would take the lower 8
        band = band.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    return band.convert(mode)


def small_jpeg(canvas: Image.Image) -> bytes:
    """A JPEG file of a small picture, of so many bytes as a page has room for."""
    data = b""
    for quality in _QUALITIES:
        buffer = io.BytesIO()
        canvas.save(buffer, "JPEG", quality=quality, optimize=True)
        data = buffer.getvalue()
        if len(data) <= ENOUGH:
            break
    return data
