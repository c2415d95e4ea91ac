"""Keypoints of a picture, which are found again after cropping, framing or captions.

At several scales the centres of light and dark spots are picked, spread over the whole picture, and
the surroundings of each are described by a vector of low frequencies. These vectors keep their
direction when size, brightness or compression change; for a mirrored picture they change by known
signs.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]
Numbers = NDArray[np.intp]

# The cosine of two vectors: by chance, 1 pair of 9,000 spots of different photographs has it.
ALIKE: Final = 0.85

_LEVELS: Final = 7
_STEP: Final = 2 ** (-1 / 3)  # from one level's size to the next one's
_AROUND: Final = 16  # pixels a side of what is looked at around a spot
_WAVES: Final = 7  # frequencies, across and down together
_CELLS: Final = 4  # a side, each with a spot of its own: a caption would have them all
_FAINT: Final = 2.0  # of 255 levels: spots of less contrast are noise
_SMOOTH: Final = 60.0  # a shorter vector says nothing


class Keypoints(NamedTuple):
    """For each keypoint: x and y in pixels, its scale, and its descriptor."""

    places: Floats  # (n, 2)
    scales: Floats  # (n,)
    descriptors: Floats  # (n, all waves), each of length 1

    def mirrored(self, width: int) -> Keypoints:
        """The keypoints of the mirrored picture, which has this width."""
        places = self.places.copy()
        places[:, 0] = width - places[:, 0]
        return Keypoints(places, self.scales, self.descriptors * _MIRROR)


def _waves() -> tuple[Floats, Floats]:
    """Cosines as columns, and their signs in a mirror; photographs have little of high ones."""
    middles = (np.arange(_AROUND) + 0.5) / _AROUND
    lines = [np.cos(np.pi * number * middles) for number in range(_WAVES)]
    lines = [line / np.linalg.norm(line) for line in lines]
    numbers = [
        (down, across)
        for down in range(_WAVES)
        for across in range(_WAVES)
        if 0 < down + across <= _WAVES
    ]
    waves = [np.hypot(*pair) * np.outer(lines[pair[0]], lines[pair[1]]) for pair in numbers]
    signs = [(-1) ** across for _, across in numbers]
    return np.array(waves, np.float32).reshape(len(waves), -1).T, np.array(signs, np.float32)


_WAVE, _MIRROR = _waves()


def detect_keypoints(grey: Image.Image) -> Keypoints:
    """Find a grey picture's keypoints; a narrow or flat one has none."""
    levels = [_level(grey, _STEP**number) for number in range(_LEVELS)]
    places, scales, looks = (np.concatenate(arrays) for arrays in zip(*levels, strict=True))
    return Keypoints(places, scales, looks)


def _level(grey: Image.Image, scale: float) -> Keypoints:
    size = (max(1, round(grey.width * scale)), max(1, round(grey.height * scale)))
    if min(size) <= _AROUND:
        none = np.zeros((0, len(_MIRROR)), np.float32)
        return Keypoints(none[:, :2], none[:, 0], none)
    level = grey.convert("F").resize(size, Image.Resampling.BICUBIC)
    spots = np.abs(np.asarray(_blurred(level, 1.5)) - np.asarray(_blurred(level, 3)))
    rows, columns = _strongest(spots)
    looks = _around(np.asarray(level), rows, columns) @ _WAVE
    lengths = np.linalg.norm(looks, axis=1)
    clear = lengths > _SMOOTH
    pixel = np.array([grey.width / size[0], grey.height / size[1]], np.float32)
    places = (np.stack([columns, rows], axis=1)[clear] + np.float32(0.5)) * pixel
    scales = np.full(len(places), scale, np.float32)
    return Keypoints(places, scales, looks[clear] / lengths[clear, None])


def _blurred(level: Image.Image, by: float) -> Image.Image:
    small = (round(level.width / by), round(level.height / by))
    bicubic = Image.Resampling.BICUBIC
    return level.resize(small, bicubic).resize(level.size, bicubic)


def _strongest(spots: Floats) -> tuple[Numbers, Numbers]:
    """Row and column of the strongest point of each cell, except near the edges."""
    half = _AROUND // 2
    inside = np.s_[half : 1 - half, half : 1 - half]
    peak = spots[inside] > _FAINT
    for down in (-1, 0, 1):
        for across in (-1, 0, 1):
            peak &= spots[inside] >= np.roll(spots, (down, across), axis=(0, 1))[inside]
    rows, columns = (indices + half for indices in np.nonzero(peak))
    cells = rows * _CELLS // spots.shape[0] * _CELLS + columns * _CELLS // spots.shape[1]
    order = np.lexsort((-spots[rows, columns], cells))
    _, first = np.unique(cells[order], return_index=True)
    return rows[order[first]], columns[order[first]]


def _around(level: Floats, rows: Numbers, columns: Numbers) -> Floats:
    """A row for each point: the pixels around it."""
    beside = np.arange(-(_AROUND // 2), _AROUND // 2)
    down, across = rows[:, None] + beside, columns[:, None] + beside
    patches: Floats = level[down[:, :, None], across[:, None, :]]
    return patches.reshape(len(rows), _AROUND**2)
