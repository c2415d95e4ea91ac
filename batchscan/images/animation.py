"""Checking the frames of an animation after the first one, which is what the service searches."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from batchscan.images import kinds
from batchscan.images.kinds import ImageFormat
from batchscan.images.rules import (
    ANIMATED,
    LATER_FRAMES_DAMAGED,
    LATER_FRAMES_UNCHECKED,
    Rules,
    Size,
)
from batchscan.images.segments import (
    GIF_EXTENSION,
    GIF_FRAME,
    GIF_FRAME_HEADER,
    GIF_TRAILER,
    gif_blocks,
)

if TYPE_CHECKING:
    from PIL import Image


BUDGET: Final = 150_000_000
"""Pixels that later frames may cost: a legal 20 MB GIF can hold five minutes of decoding."""

_MIN_COST: Final = 10_000  # a frame of one pixel is not free
_ANIMATED: Final = (kinds.GIF, kinds.PNG, kinds.WEBP)


def check_later(image: Image.Image, kind: ImageFormat, data: bytes, rules: Rules) -> list[str]:
    """Decode later frames within a budget of pixels; returns warnings.

    Damage there does not affect the first frame, so this never rejects a picture.
    """
    warnings, decoded = [], 0
    try:
        finished = _reach_is_fit(kind, data, rules)
        if finished:
            finished, decoded = _decode_later(image, rules)
        if not finished:
            warnings.append(LATER_FRAMES_UNCHECKED)
    except MemoryError:
        warnings.append(LATER_FRAMES_UNCHECKED)
    # The decoders' boundary, as in `raster`.
    except Exception:  # noqa: BLE001
        warnings.append(LATER_FRAMES_DAMAGED)
    if kind in _ANIMATED and (decoded or warnings):
        warnings.insert(0, ANIMATED)
    return warnings


def _reach_is_fit(kind: ImageFormat, data: bytes, rules: Rules) -> bool:
    # A later frame that reaches out of a GIF's screen makes Pillow enlarge it on the way there.
    return kind is not kinds.GIF or layout(data).reach.pixels <= rules.max_pixels


def _decode_later(image: Image.Image, rules: Rules) -> tuple[bool, int]:
    """Whether the last frame was reached, and how many were decoded."""
    spent = 0
    index = 0
    while spent <= BUDGET:
        try:
            image.seek(index + 1)
        except EOFError:  # Pillow's word for "no such frame"
            return True, index
        index += 1
        size = Size(*image.size)
        if size.pixels > rules.max_pixels:
            return False, index
        image.load()
        spent += max(size.pixels, _MIN_COST)
    return False, index


@dataclass(frozen=True, slots=True)
class GifLayout:
    """The layout of a GIF by its headers."""

    first: Size | None  # the screen with the first frame, which may reach out of it
    reach: Size  # the screen with every frame found
    complete: bool  # the trailer was found where the blocks end


def layout(data: bytes) -> GifLayout:
    """Read the blocks; in a damaged file this ends early, as not complete."""
    try:
        return _walk(data)
    except (struct.error, IndexError):
        return GifLayout(None, Size(0, 0), complete=False)


def _walk(data: bytes) -> GifLayout:
    width, height = struct.unpack_from("<HH", data, 6)
    first, complete = None, False
    for introducer, start, _ in gif_blocks(data):
        if introducer == GIF_EXTENSION:
            continue
        complete = introducer == GIF_TRAILER
        if introducer != GIF_FRAME or start + GIF_FRAME_HEADER > len(data):
            break
        x, y, w, h = struct.unpack_from("<HHHH", data, start + 1)
        width, height = max(width, x + w), max(height, y + h)
        first = first or Size(width, height)
    return GifLayout(first, Size(width, height), complete)
