"""Camera RAW: the camera's own JPEG where one of use is inside, else developed at half size."""

from __future__ import annotations

import io
from typing import BinaryIO, Final

import rawpy
from PIL import Image

from batchscan.images import kinds
from batchscan.images.conversion import by_pillow
from batchscan.images.conversion.recipe import CheckSize, Decoded

MIN_PREVIEW: Final = 1024
"""Pixels that an embedded JPEG needs on its longer side."""

_OTHER_SHAPE: Final = 0.1  # by which proportions of the same picture never differ

# LibRaw's flip as EXIF's orientation; others do not occur.
_FLIPS: Final = {0: 1, 3: 3, 5: 8, 6: 6}


def decode(file: BinaryIO, check_size: CheckSize) -> Decoded:
    """A right picture of a RAW file.

    Raises:
        CannotConvert: it has too many pixels.
        rawpy.LibRawError: LibRaw cannot read it.
    """
    with rawpy.RawPy() as camera:
        camera.open_buffer(file)
        sizes = camera.sizes
        check_size(sizes.raw_width, sizes.raw_height)
        preview = _preview(camera, check_size)
        if preview is not None:
            return preview
        pixels = camera.postprocess(half_size=True, use_camera_wb=True, output_bps=8)
    return Decoded(Image.fromarray(pixels))  # LibRaw turned it


def _preview(camera: rawpy.RawPy, check_size: CheckSize) -> Decoded | None:
    """The largest embedded JPEG, the right way up; None without one of use."""
    try:
        thumbnail = camera.extract_thumb()
        if thumbnail.format is not rawpy.ThumbFormat.JPEG:
            return None
        decoded = by_pillow.decode(kinds.JPEG, io.BytesIO(bytes(thumbnail.data)), check_size)
    # The decoders' boundary: a preview that cannot be read is none, the sensor's data remain.
    except Exception:  # noqa: BLE001
        return None
    image = decoded.image
    if max(image.size) < MIN_PREVIEW or not _same_shape(image.size, camera.sizes):
        return None
    if decoded.orientation != 1:
        return decoded
    return Decoded(image, decoded.profile, _turn(image.size, camera.sizes))


def _same_shape(preview: tuple[int, int], sizes: rawpy.ImageSizes) -> bool:
    """Whether two pictures have nearly the same proportions, one of them perhaps on its side."""
    long, short = max(preview), min(preview)
    whole_long, whole_short = max(sizes.width, sizes.height), min(sizes.width, sizes.height)
    return abs(short / long - whole_short / max(1, whole_long)) < _OTHER_SHAPE


def _turn(preview: tuple[int, int], sizes: rawpy.ImageSizes) -> int:
    """How to turn a preview that does not say so: as the sensor's data, unless it is already."""
    orientation = _FLIPS.get(sizes.flip, 1)
    on_its_side = sizes.flip in (5, 6)
    lies = preview[0] >= preview[1]
    sensor_lies = sizes.raw_width >= sizes.raw_height
    return orientation if not on_its_side or lies == sensor_lies else 1
