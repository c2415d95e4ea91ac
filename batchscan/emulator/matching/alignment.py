"""Comparing pictures of which one may be a cropped, framed, mirrored or captioned copy.

Keypoints give the placement of one in the other, which is then refined; the common part is compared
block by block.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from PIL import Image, ImageOps

from batchscan.emulator.matching.keypoints import ALIKE, Floats, Keypoints, detect_keypoints

_AREA: Final = 160 * 120  # pixels of the grey copy
_MAX_LENGTH: Final = 1024  # pixels a side of it
_ENLARGED: Final = 4  # times at most

_SIDE: Final = 48  # pixels a side of what is compared
_BLOCK: Final = 6
_CONTRAST: Final = 2.0  # of 255 levels; blocks of less are not looked at
_TEXTURED: Final = 8  # blocks with contrast, at least
_CORRELATED: Final = 0.7
_INSIDE: Final = 0.6  # of the smaller picture
# Of the blocks with contrast, so many must be the same. Between different photographs it was 0.53 at
# most over 104,000 pairs; of 615 copies that the hashes did not find, one, a night shot that was
# written across, had less than 0.7. Pictures of one plain shape each can be taken for each other.
_SAME: Final = 0.65
_PROMISING: Final = 0.1  # the same, before the place is exact
_ROUNDS: Final = (16, 16, 16, 32, 32)  # pixels a side, while the place is made exact
_STRETCH: Final = 1.2  # times, of width against height
_FARTHEST: Final = 1 / 8  # of the box, in one round


class Thumbprint(NamedTuple):
    """A small grey copy and its keypoints."""

    grey: Image.Image
    marks: Keypoints

    def mirrored(self) -> Thumbprint:
        """The same, mirrored."""
        return Thumbprint(ImageOps.mirror(self.grey), self.marks.mirrored(self.grey.width))


def thumbprint(grey: Image.Image) -> Thumbprint:
    """The thumbprint of a grey picture of any size."""
    scale = min(_ENLARGED, math.sqrt(_AREA / (grey.width * grey.height)))
    size = [min(_MAX_LENGTH, max(1, round(side * scale))) for side in grey.size]
    less = grey.reduce(max(1, int(0.5 / scale)))
    small = less.resize((size[0], size[1]), Image.Resampling.BICUBIC)
    return Thumbprint(small, detect_keypoints(small))


def overlaps(mine: Thumbprint, other: Thumbprint) -> bool:
    """Whether most of one picture is contained in the other."""
    at = estimate_placement(mine.marks, other.marks)
    if at is None:
        return False
    around, inside = mine.grey, other.grey
    if at.wide * around.width < inside.width:
        around, inside, at = inside, around, at.inverse()
    agreement = _agreement(around, inside, at)
    if _PROMISING <= agreement < _SAME:
        agreement = _agreement(around, inside, _refined(around, inside, at))
    return agreement >= _SAME


def _agreement(mine: Image.Image, other: Image.Image, at: Placement) -> float:
    """The share of blocks with contrast that agree; 0 if the overlap is small."""
    boxes = at.boxes(mine.size, other.size)
    if boxes is None or max(at.wide / at.high, at.high / at.wide) > _STRETCH:
        return 0
    if max(_area_share(boxes[0], mine), _area_share(boxes[1], other)) < _INSIDE:
        return 0
    one, two = _blocks(_cut(mine, boxes[0], _SIDE)), _blocks(_cut(other, boxes[1], _SIDE))
    deep, deep_too = (np.sqrt((blocks**2).mean(axis=1)) for blocks in (one, two))
    textured = np.maximum(deep, deep_too) > _CONTRAST
    if textured.sum() < _TEXTURED:
        return 0
    correlation = (one * two).mean(axis=1) / np.maximum(deep * deep_too, _CONTRAST / 100)
    return float((correlation[textured] > _CORRELATED).mean())


def _area_share(box: Box, picture: Image.Image) -> float:
    return (box[2] - box[0]) * (box[3] - box[1]) / (picture.width * picture.height)


def _cut(picture: Image.Image, box: Box, side: int) -> Floats:
    cut = picture.convert("F").resize((side, side), Image.Resampling.BILINEAR, box=box)
    return np.asarray(cut)


def _blocks(cut: Floats) -> Floats:
    """A row for each block, less its mean."""
    count = _SIDE // _BLOCK
    blocks = cut.reshape(count, _BLOCK, count, _BLOCK).swapaxes(1, 2).reshape(count**2, -1)
    deviations: Floats = blocks - blocks.mean(axis=1, keepdims=True)
    return deviations


def _refined(mine: Image.Image, other: Image.Image, at: Placement) -> Placement:
    """Refine a placement by moving and stretching, until the difference is smallest."""
    for side in _ROUNDS:
        boxes = at.boxes(mine.size, other.size)
        if boxes is None:
            break
        here, there = boxes
        step = _step(_cut(mine, here, side), _cut(other, there, side)) / side
        better = _moved(here, there, np.clip(step, -_FARTHEST, _FARTHEST).tolist())
        if not 1 / _STRETCH < better.wide / better.high < _STRETCH:
            break
        at = better
    return at


def _step(one: Floats, two: Floats) -> Floats:
    """A Gauss-Newton step: growth and shift across, growth and shift down, in pixels.

    Brightness and contrast may differ. Large differences count less: they are captions.
    """
    side = len(one)
    down, across = np.gradient(one)
    way = np.linspace(-1, 1, side, dtype=np.float32)
    slopes = (across * way, across, down * way[:, None], down, -two, -np.ones_like(two))
    matrix, goal = np.stack(slopes, axis=-1).reshape(side**2, -1), -one.ravel()
    weights = np.ones(side**2, np.float32)
    step = np.zeros(len(slopes), np.float32)
    for _ in range(2):
        weighed = (matrix * weights[:, None]).T
        step = np.linalg.solve(weighed @ matrix + 1e-3 * np.eye(len(slopes)), weighed @ goal)
        left = np.abs(matrix @ step - goal)
        weights = 1 / (1 + (left / (3 * np.median(left) + 1e-3)) ** 2)
    return step[:4]


def _moved(here: Box, there: Box, step: list[float]) -> Placement:
    """A box after growing and moving by these parts of its size."""
    wider, right, higher, down = step
    width, height = here[2] - here[0], here[3] - here[1]
    left, top = here[0] + (right - wider) * width, here[1] + (down - higher) * height
    wide = (there[2] - there[0]) / (width * (1 + 2 * wider))
    high = (there[3] - there[1]) / (height * (1 + 2 * higher))
    return Placement(wide, high, there[0] - wide * left, there[1] - high * top)


Box = tuple[float, float, float, float]  # left, top, right, bottom
Extent = tuple[int, int]  # width, height

MIN_AGREEING: Final = 3  # keypoints, at least, that say the same
_PAIRS: Final = 400  # the most alike, at most: in a fence everything looks alike
_NEAR: Final = 8.0  # pixels
_SCALE: Final = 1.6  # times; levels are coarse
_MAX_BYTES: Final = 4.0  # times larger or smaller than the other


class Placement(NamedTuple):
    """The position of a picture in another: `wide * x + left` and `high * y + top` of its points."""

    wide: float
    high: float
    left: float
    top: float

    def inverse(self) -> Placement:
        """The inverse: where the other picture lies in this one."""
        return Placement(
            1 / self.wide, 1 / self.high, -self.left / self.wide, -self.top / self.high
        )

    def boxes(self, mine: Extent, other: Extent) -> tuple[Box, Box] | None:
        """The common area in both pictures; None if it is too small."""
        there = (
            max(0.0, self.left),
            max(0.0, self.top),
            min(float(other[0]), self.wide * mine[0] + self.left),
            min(float(other[1]), self.high * mine[1] + self.top),
        )
        if min(there[2] - there[0], there[3] - there[1]) < _NEAR:
            return None
        here = (
            max(0.0, (there[0] - self.left) / self.wide),
            max(0.0, (there[1] - self.top) / self.high),
            min(float(mine[0]), (there[2] - self.left) / self.wide),
            min(float(mine[1]), (there[3] - self.top) / self.high),
        )
        return here, there


def estimate_placement(mine: Keypoints, other: Keypoints) -> Placement | None:
    """The placement that most pairs of keypoints agree on; None if too few do."""
    alike = mine.descriptors @ other.descriptors.T
    one, two = np.nonzero(alike > ALIKE)
    if len(one) < MIN_AGREEING:
        return None
    if len(one) > _PAIRS:
        most = np.argpartition(-alike[one, two], _PAIRS)[:_PAIRS]
        one, two = one[most], two[most]
    here, there = mine.places[one], other.places[two]
    larger = mine.scales[one] / other.scales[two]
    # Rows: what this pair says; columns: how far that is from what the other pair shows.
    moved = here - here[:, None]
    apart = np.abs(there[:, None] + larger[:, None, None] * moved - there).max(axis=2)
    steps = np.abs(np.log(larger[:, None] / larger))
    agree = (apart < _NEAR / other.scales[two]) & (steps < np.log(_SCALE))
    best = agree[agree.sum(axis=1).argmax()]
    return _fit(here[best], there[best])


def _fit(here: Floats, there: Floats) -> Placement | None:
    """The least-squares placement of these points onto those."""
    if min(_distinct(here), _distinct(there)) < MIN_AGREEING:
        return None
    middle, goal = here.mean(axis=0), there.mean(axis=0)
    # Not the slope of a regression, which takes every error for less size.
    larger = float(np.sqrt(((there - goal) ** 2).sum() / ((here - middle) ** 2).sum()))
    if not 1 / _MAX_BYTES < larger < _MAX_BYTES:
        return None
    left, top = (float(coordinate) for coordinate in goal - larger * middle)
    return Placement(larger, larger, left, top)


def _distinct(places: Floats) -> int:
    """The number of distinct points: one can be found at several scales."""
    return len(set(map(tuple, (places // _NEAR).tolist())))
