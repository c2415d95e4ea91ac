"""Formats that Pillow decodes correctly without help."""

from __future__ import annotations

import struct
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
from batchscan.images.conversion.heif import named_profile
from batchscan.images.conversion.jp2 import colour_profile
from batchscan.images.conversion.recipe import (
    LONG_SIDE,
    CannotConvert,
    CheckSize,
    Decoded,
    exif_orientation,
)
from batchscan.images.kinds import ImageFormat

_AVIF_HEAD: Final = 65_536  # bytes in which the properties of an AVIF are looked for
_NAMED_COLOURS: Final = b"colrnclx"

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


def decode(kind: ImageFormat, file: BinaryIO, check_size: CheckSize) -> Decoded:
    """Open a picture of one of `FORMATS`: of an animation the first frame.

    Raises:
        CannotConvert: it has too many pixels, or of a kind of which no right picture can be made.
    """
    profile = colour_profile(file) if kind is kinds.JP2 else None
    file.seek(0)
    image = Image.open(file, formats=(FORMATS[kind] or "",))
    check_size(*image.size)
    profile = profile or image.info.get("icc_profile")
    if kind is kinds.AVIF and not profile:
        profile = _named_in_avif(file)
    if kind is kinds.JPEG:  # decoded at a fraction of its size where that is still large enough
        image.draft(None, _wanted(image.size))
    image.load()
    if image.mode == "I":
        raise CannotConvert("its pixels have more than 16 bits; save it with 16 or 8")
    orientation = exif_orientation(image)
    return Decoded(image, profile, orientation, info=dict(image.info))


def _named_in_avif(file: BinaryIO) -> bytes | None:
    """The profile of the colours that an AVIF names by numbers, which Pillow does not give."""
    at = file.tell()
    file.seek(0)
    head = file.read(_AVIF_HEAD)
    file.seek(at)
    box = head.find(_NAMED_COLOURS)
    if not 0 <= box <= len(head) - len(_NAMED_COLOURS) - 4:
        return None
    return named_profile(*struct.unpack_from(">HH", head, box + len(_NAMED_COLOURS)))


def _wanted(size: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, LONG_SIDE / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
