"""The frames behind the first, which is the one that the service searches for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from batchscan.images import gif, kinds
from batchscan.images.kinds import Kind
from batchscan.images.rules import Rules
from batchscan.images.verdict import (
    ANIMATED,
    LATER_FRAMES_DAMAGED,
    LATER_FRAMES_UNCHECKED,
    Size,
)

if TYPE_CHECKING:
    from PIL import Image

BUDGET: Final = 150_000_000
"""Pixels that later frames may cost: a legal 20 MB GIF can hold five minutes of decoding."""

_LEAST_COST: Final = 10_000  # a frame of one pixel is not free
_ANIMATED: Final = (kinds.GIF, kinds.PNG, kinds.WEBP)


def check_later(image: Image.Image, kind: Kind, data: bytes, rules: Rules) -> list[str]:
    """Decode frames behind the first while the budget lasts; say what is worth a warning.

    Damage there does not spoil the first frame, so nothing is ever refused here.
    """
    found, decoded = [], 0
    try:
        finished = _reach_is_fit(kind, data, rules)
        if finished:
            finished, decoded = _decode_later(image, rules)
        if not finished:
            found.append(LATER_FRAMES_UNCHECKED)
    except MemoryError:
        found.append(LATER_FRAMES_UNCHECKED)
    # The decoders' boundary, as in `raster`.
    except Exception:  # noqa: BLE001
        found.append(LATER_FRAMES_DAMAGED)
    if kind in _ANIMATED and (decoded or found):
        found.insert(0, ANIMATED)
    return found


def _reach_is_fit(kind: Kind, data: bytes, rules: Rules) -> bool:
    # A later frame that reaches out of a GIF's screen makes Pillow enlarge it on the way there.
    return kind is not kinds.GIF or gif.layout(data).reach.pixels <= rules.max_pixels


def _decode_later(image: Image.Image, rules: Rules) -> tuple[bool, int]:
    """Give whether the last frame was reached, and how many were decoded."""
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
        spent += max(size.pixels, _LEAST_COST)
    return False, index
