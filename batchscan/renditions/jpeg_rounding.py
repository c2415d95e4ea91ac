"""The changes that JPEG compression can explain, and the excess that it cannot.

A JPEG stores each 8 x 8 block of a plane as 64 frequencies, rounded to multiples of its table. So
of the picture that it was made from, each frequency is known within half a step. Where another
picture's frequency is further away, the two differ by more than compression: that is the excess.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from batchscan.renditions.pixels import Plane, Table, Values

_BLOCK: Final = 8
_REACH: Final = 4
_AT_ONCE: Final = 32
"""Blocks that are multiplied at once: of more, NumPy's library would use all cores, and waste most
of their time, as other files are decoded meanwhile."""


def _transform() -> Plane:
    """The two-dimensional orthonormal DCT-II of a block's 64 points, as a matrix."""
    frequencies, places = np.arange(_BLOCK)[:, None], np.arange(_BLOCK)[None, :]
    rows = np.cos(np.pi / (2 * _BLOCK) * frequencies * (2 * places + 1)) / 2
    rows[0] /= np.sqrt(2)
    return np.asarray(np.kron(rows, rows), np.float32)


def _sharpening() -> list[np.float32]:
    """The inverse of the filter that upsampling colours by two and averaging pairs amounts to."""
    ratio = 2 * np.sqrt(2) - 3
    weights = ratio ** np.abs(np.arange(-_REACH, 1))
    return [np.float32(weight) for weight in weights / (2 * weights.sum() - 1)]


_BACK: Final = _transform()
_FORWARD: Final = np.ascontiguousarray(_BACK.T)
_SHARPENING: Final = _sharpening()


def excess(apart: Plane, expected: Plane, slack: Table, share: float) -> Plane:
    """The part of a difference that compression does not explain, point by point.

    Args:
        apart: a plane that was compressed, less the expected one.
        expected: the expected plane.
        slack: by how much each frequency may differ.
        share: of the expected frequency, by which it may differ in addition: no filter is exact.
    """
    frequencies = _times(_blocks(apart), _FORWARD)
    if share:
        allowed = np.abs(_times(_blocks(expected), _FORWARD))
        allowed[:, 0] = 0
        allowed *= np.float32(share)
        allowed += slack
        frequencies -= np.clip(frequencies, -allowed, allowed)
    else:
        frequencies -= np.clip(frequencies, -slack, slack)
    return _plane(_times(frequencies, _BACK), apart.shape)


def _times(blocks: Plane, matrix: Plane) -> Plane:
    """Blocks multiplied by a matrix, in this thread."""
    product = np.empty_like(blocks)
    batched = len(blocks) - len(blocks) % _AT_ONCE
    shape = -1, _AT_ONCE, len(matrix)
    np.matmul(blocks[:batched].reshape(shape), matrix, out=product[:batched].reshape(shape))
    np.matmul(blocks[batched:], matrix, out=product[batched:])
    return product


def _blocks(plane: Plane) -> Plane:
    """The blocks of a plane, 64 points a row."""
    height, width = plane.shape
    down, across = -height % _BLOCK, -width % _BLOCK
    if down or across:
        plane = np.pad(plane, ((0, down), (0, across)), mode="edge")
    rows, columns = (length // _BLOCK for length in plane.shape)
    blocks = plane.reshape(rows, _BLOCK, columns, _BLOCK).transpose(0, 2, 1, 3)
    return blocks.reshape(-1, _BLOCK * _BLOCK)


def _plane(blocks: Plane, shape: tuple[int, ...]) -> Plane:
    rows, columns = (-(-length // _BLOCK) for length in shape)
    grid = blocks.reshape(rows, columns, _BLOCK, _BLOCK).transpose(0, 2, 1, 3)
    return grid.reshape(rows * _BLOCK, columns * _BLOCK)[: shape[0], : shape[1]]


def halved(plane: Plane | Values) -> Plane:
    """The means of 2 x 2 points: how colours are stored."""
    height, width = (length - length % 2 for length in plane.shape)
    corners = [plane[down:height:2, across:width:2] for down in (0, 1) for across in (0, 1)]
    means = corners[0].astype(np.float32)
    for corner in corners[1:]:
        means += corner
    means *= np.float32(0.25)
    return means


def as_stored(plane: Plane) -> Plane:
    """The colours that a JPEG stores, of halved ones that decoding has upsampled by a triangle."""
    for _ in range(2):
        plane = _sharpened(plane).T
    return plane


def _sharpened(plane: Plane) -> Plane:
    """The inverse of the filter, applied down the rows."""
    height = len(plane)
    around = np.pad(plane, ((_REACH, _REACH), (0, 0)), mode="edge")
    sharpened = plane * _SHARPENING[_REACH]
    for near, weight in enumerate(_SHARPENING[:_REACH]):
        far = 2 * _REACH - near
        sharpened += weight * (around[near : near + height] + around[far : far + height])
    return np.asarray(sharpened)
