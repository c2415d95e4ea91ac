"""The small picture that a camera puts into its RAW files; in the RAW decoder's process only."""

from __future__ import annotations

import io
from typing import Final

import rawpy
from PIL import Image

from batchscan.images import kinds
from batchscan.images.raster import open_raster, silence_warnings
from batchscan.images.thumbnail import thumbnail

_ORIENTATIONS: Final = {3: 3, 5: 8, 6: 6}  # LibRaw's word for how the camera was held, EXIF's


def preview(data: bytes, max_pixels: int) -> bytes | None:
    """Make a thumbnail of a file's preview; None if it is too large.

    Whatever LibRaw and Pillow raise is raised here.
    """
    silence_warnings()
    with rawpy.RawPy() as raw:
        raw.open_buffer(io.BytesIO(data))
        held = _ORIENTATIONS.get(raw.sizes.flip, 1)
        thumb = raw.extract_thumb()
        if isinstance(thumb.data, bytes):
            image = open_raster(kinds.JPEG, thumb.data)
        else:
            image = Image.fromarray(thumb.data)
    return thumbnail(image, held) if image.width * image.height <= max_pixels else None
