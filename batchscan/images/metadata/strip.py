"""Removing metadata from a picture without changing a pixel.

Kept is what a decoder needs to show the same picture: pixels, colour profile, orientation,
transparency, animation. Everything that is not on this list is removed: makernotes, thumbnails,
comments, Content Credentials, private blocks, a phone's second picture and appended data.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from batchscan.images import kinds
from batchscan.images.kinds import ImageFormat
from batchscan.images.metadata.strip_bitmap import strip_bmp, strip_ico
from batchscan.images.metadata.strip_gif import strip_gif
from batchscan.images.metadata.strip_jpeg import strip_jpeg
from batchscan.images.metadata.strip_png import strip_png
from batchscan.images.metadata.strip_webp import strip_webp
from batchscan.images.metadata.stripping import CannotStrip

__all__ = ["CannotStrip", "strip"]

_STRIPPERS: Final[dict[ImageFormat, Callable[[bytes, int], bytes]]] = {
    kinds.JPEG: strip_jpeg,
    kinds.PNG: strip_png,
    kinds.GIF: strip_gif,
    kinds.BMP: strip_bmp,
    kinds.WEBP: strip_webp,
    kinds.ICO: strip_ico,
}


def strip(kind: ImageFormat, data: bytes, orientation: int = 1) -> bytes:
    """The same picture without metadata; equal to `data` if there was none.

    Args:
        kind: what the content is; one of `kinds.RASTERS`.
        data: a whole file that a judge accepted.
        orientation: as in EXIF, 1 (upright) to 8; kept in the result.

    Raises:
        CannotStrip: the file is laid out in a way that only a decoder understands.
    """
    return _STRIPPERS[kind](data, orientation)
