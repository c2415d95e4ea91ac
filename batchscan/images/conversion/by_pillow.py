"""The kinds that Pillow decodes right without help."""

from __future__ import annotations

from typing import BinaryIO, Final

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    IcoImagePlugin,
    Image,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

from batchscan.images import kinds
from batchscan.images.conversion.recipe import (
    LONG_SIDE,
    CannotConvert,
    CheckSize,
    Decoded,
    exif_orientation,
)
from batchscan.images.kinds import Kind

FORMATS: Final = {
    kinds.AVIF: AvifImagePlugin.AvifImageFile.format,
    kinds.BMP: BmpImagePlugin.BmpImageFile.format,
    kinds.GIF: GifImagePlugin.GifImageFile.format,
    kinds.ICO: IcoImagePlugin.IcoImageFile.format,
    kinds.JP2: Jpeg2KImagePlugin.Jpeg2KImageFile.format,
    kinds.JPEG: JpegImagePlugin.JpegImageFile.format,
    kinds.PNG: PngImagePlugin.PngImageFile.format,
    kinds.WEBP: WebPImagePlugin.WebPImageFile.format,
}


def decode(kind: Kind, file: BinaryIO, check_size: CheckSize) -> Decoded:
    """Open a picture of one of `FORMATS`: of an animation the first frame.

    Raises:
        CannotConvert: it has too many pixels, or of a kind of which no right picture can be made.
    """
    image = Image.open(file, formats=(FORMATS[kind] or "",))
    check_size(*image.size)
    profile = image.info.get("icc_profile")
    if kind is kinds.JPEG:  # decoded at a fraction of its size where that is still large enough
        image.draft(None, _wanted(image.size))
    image.load()
    if image.mode == "I":
        raise CannotConvert("its pixels have more than 16 bits; save it with 16 or 8")
    orientation = exif_orientation(image)
    return Decoded(image, profile, orientation, info=dict(image.info))


def _wanted(size: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, LONG_SIDE / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
