"""Rule v1: whether a file is a version of another one's picture.

On 499,500 pairs of unrelated photographs and 93 consecutive video frames it merged none, and found
95 to 100 % of ordinary renditions of 200 pixels and more. Drawn things (screenshots, pages of
type, labels) and retouched ones differ in so little that two finer looks at the grey values have
to agree: of what a window shows, other numbers move it by 23 levels and more, of photographs
renditions by 7; and no single place may stand out (`local_differences`). Another exposure, gamma or
white balance moves the mean of a channel, which a version keeps. Before a file is covered, the
pixels of both are compared as well (`pixel_comparison`).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from batchscan.rendition_types import Fingerprint
from batchscan.renditions.fingerprint import (
    close_up_of,
    colour_difference,
    distance,
    grey_differences,
    tone_difference,
)
from batchscan.renditions.local_differences import has_local_edit

RULE: Final = "v1"
MAX_DISTANCE: Final = 15  # bits of 256
MAX_DIFFERENCE: Final = 16  # levels of 256, of any channel of a 48 x 48 thumbnail
MAX_TONE: Final = 2.5  # levels, of a channel's mean; saving and resizing move it by less than one
MAX_GREY: Final = 16  # levels, of 64 x 64 grey points
MAX_FINE: Final = 24  # levels, of 128 x 128 grey points of pictures that are large enough
MAX_DISTANCE_OF_RAW: Final = 31  # where name, folder and capture time agree, too
MIN_DETAIL: Final = 2.0  # grey levels; below, blank pictures look alike
_FINE_FROM: Final = 192  # pixels of the shorter side; smaller ones are mere blur at 128
SHAPE_TOLERANCE: Final = 1  # pixels


class Likeness(NamedTuple):
    """How alike two pictures are."""

    distance: int  # bits of 256
    difference: int  # levels of 256
    same: bool  # whether they are one picture by rule v1


def likeness(one: Fingerprint, other: Fingerprint) -> Likeness:
    """Compare two pictures that have their thumbnails; the order does not matter."""
    bits = distance(one.hash, other.hash)
    colour = colour_difference(one.thumbnail, other.thumbnail)
    same = (
        may_be_rendition(one, other)
        and colour <= MAX_DIFFERENCE
        and tone_difference(one.thumbnail, other.thumbnail) <= MAX_TONE
        and _agree_in_detail(one, other)
    )
    return Likeness(bits, colour, same)


def _agree_in_detail(one: Fingerprint, other: Fingerprint) -> bool:
    """Whether the finer comparisons find no difference; the slowest one comes last."""
    first, second = close_up_of(one.thumbnail), close_up_of(other.thumbnail)
    apart = grey_differences(first, second)
    smaller = min(one.width, one.height, other.width, other.height)
    return (
        apart.coarse <= MAX_GREY
        and (apart.fine <= MAX_FINE or smaller < _FINE_FROM)
        and not has_local_edit(first, second)
    )


def may_be_rendition(one: Fingerprint, other: Fingerprint) -> bool:
    """Whether thumbnails should be compared: detail, shape and hash agree."""
    return (
        min(one.detail, other.detail) >= MIN_DETAIL
        and same_shape(one.width, one.height, other.width, other.height)
        and distance(one.hash, other.hash) <= MAX_DISTANCE
    )


def same_shape(width: int, height: int, other_width: int, other_height: int) -> bool:
    """Whether the smaller of two pictures is the larger one scaled, rounded to whole pixels.

    Judged at the smaller one's scale by its longer side, so that the order does not matter.
    """
    small, large = sorted(((width, height), (other_width, other_height)), key=_order)
    if small[0] >= small[1]:
        scaled = large[1] * small[0] / large[0]
        return abs(scaled - small[1]) <= SHAPE_TOLERANCE
    scaled = large[0] * small[1] / large[1]
    return abs(scaled - small[0]) <= SHAPE_TOLERANCE


def _order(size: tuple[int, int]) -> tuple[int, int, int]:
    return size[0] * size[1], size[0], size[1]
