"""A reduced grey copy of a picture, in its own shape, for a first comparison and for previews."""

from __future__ import annotations

import struct
from typing import Final

from PIL import Image

SIDE: Final = 320
"""Pixels of the longer side, of pictures that are large enough."""

_SIZE: Final = struct.Struct("!HH")


def grey_copy(grey: Image.Image, box: tuple[float, float, float, float]) -> Image.Image:
    """The copy of a part of a grey picture."""
    scale = min(1.0, SIDE / max(box[2], box[3]))
    size = max(1, round(box[2] * scale)), max(1, round(box[3] * scale))
    return grey.resize(size, Image.Resampling.LANCZOS, box)


def packed(image: Image.Image) -> bytes:
    """Encode a copy: its size and values."""
    return _SIZE.pack(*image.size) + image.tobytes()


def unpacked(data: bytes) -> Image.Image:
    """Decode a copy."""
    return Image.frombytes("L", _SIZE.unpack_from(data), data[_SIZE.size :])
