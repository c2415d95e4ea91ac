"""A cache of JPEGs that the judge decoded at one eighth, for thumbnails of matched pictures.

Decoding is most of the cost of a thumbnail, and whether one is needed is known only after the
answer. A picture that was evicted by then is decoded again.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Final

from PIL import Image

from batchscan.images.thumbnail import draft_scale

SCALE: Final = 8
"""How many times smaller the judge decodes a JPEG: every byte is read all the same."""

ROOM: Final = 16 * 1024 * 1024
"""Bytes of pixels that are kept at most: some 400 pictures of 0.7 megapixels, 30 of 12."""


class DecodedCache:
    """The latest decoded pictures by SHA-256; the oldest are evicted first. Thread-safe."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._held = 0
        self._lock = Lock()
        self._pictures: OrderedDict[str, Image.Image] = OrderedDict()

    def put(self, sha256: str, image: Image.Image, full_size: tuple[int, int]) -> None:
        """Add the pixels of a JPEG decoded at one eighth, if its thumbnail can use them."""
        weight = _weight(image)
        reduced = image.width * SCALE < full_size[0] + SCALE
        if not reduced or draft_scale(*full_size) < SCALE or weight > self._room // SCALE:
            return
        pixels = image.copy()  # without the file's bytes
        pixels.info.clear()
        with self._lock:
            self._drop(sha256)
            self._pictures[sha256] = pixels
            self._held += weight
            while self._held > self._room:
                self._drop(next(iter(self._pictures)))

    def take(self, sha256: str) -> Image.Image | None:
        """Remove and return a picture's pixels; None without them."""
        with self._lock:
            return self._drop(sha256)

    def _drop(self, sha256: str) -> Image.Image | None:
        pixels = self._pictures.pop(sha256, None)
        if pixels is not None:
            self._held -= _weight(pixels)
        return pixels


def _weight(image: Image.Image) -> int:
    """Bytes in memory: Pillow takes four for a pixel of several channels."""
    return image.width * image.height * (1 if image.mode == "L" else 4)
