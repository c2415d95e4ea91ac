"""What a JPEG's compression can have done to a picture, and what is left over.

A JPEG stores each 8 x 8 block of a plane as 64 frequencies, rounded to multiples of its table. So
of the picture that it was made from, each frequency is known within half a step. Where another
picture's frequency is further away, the two differ by more than compression: that is the excess.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.float32]
Table = npt.NDArray[np.float32]
"""8 x 8 steps, in the order of the frequencies: down, across."""

_BLOCK: Final = 8
_REACH: Final = 4


def _transform() -> Plane:
    """The rows of the orthonormal DCT-II of 8 points."""
    frequencies, places = np.arange(_BLOCK)[:, None], np.arange(_BLOCK)[None, :]
    rows = np.cos(np.pi / (2 * _BLOCK) * frequencies * (2 * places + 1)) / 2
    rows[0] /= np.sqrt(2)
    return np.asarray(rows, np.float32)


def _sharpening() -> list[np.float32]:
    """The inverse of the filter that upsampling colours by two and averaging pairs amounts to."""
    ratio = 2 * np.sqrt(2) - 3
    weights = ratio ** np.abs(np.arange(-_REACH, _REACH + 1))
    return [np.float32(weight) for weight in weights / weights.sum()]


_DCT: Final = _transform()
_SHARPENING: Final = _sharpening()


def frequencies_of(plane: Plane) -> Plane:
    """The DCT of each block, in an array of block rows, block columns, 8, 8."""
    height, width = plane.shape
    whole = np.pad(plane, ((0, -height % _BLOCK), (0, -width % _BLOCK)), mode="edge")
    return _frequencies(whole)


def frequencies_in(plane: Plane, expected: Plane, table: Table | None) -> Plane:
    """The same of a plane that was compressed, of which blocks may reach beyond its edges.

    What a JPEG has there is unknown, so it is taken from the compressed expected plane.
    """
    height, width = plane.shape
    if table is None or (height % _BLOCK == 0 and width % _BLOCK == 0):
        return frequencies_of(plane)
    rounded = np.round(frequencies_of(expected) / table) * table
    rows, columns = rounded.shape[:2]
    whole = plane_of(rounded, (rows * _BLOCK, columns * _BLOCK)).copy()
    whole[:height, :width] = plane
    return _frequencies(whole)


def _frequencies(whole: Plane) -> Plane:
    rows, columns = (length // _BLOCK for length in whole.shape)
    blocks = whole.reshape(rows, _BLOCK, columns, _BLOCK).transpose(0, 2, 1, 3)
    return np.asarray(_DCT @ blocks @ _DCT.T)


def plane_of(frequencies: Plane, shape: tuple[int, ...]) -> Plane:
    """The inverse, cut to a shape."""
    rows, columns = frequencies.shape[:2]
    blocks = _DCT.T @ frequencies @ _DCT
    whole = blocks.transpose(0, 2, 1, 3).reshape(rows * _BLOCK, columns * _BLOCK)
    return np.asarray(whole[: shape[0], : shape[1]])


def excess(expected: Plane, frequencies: Plane, slack: Table | None, share: float) -> Plane:
    """By how much a plane differs from another one by more than compression, point by point.

    Args:
        expected: a plane.
        frequencies: of the other one.
        slack: by how much each frequency may differ; None for none.
        share: of the expected frequency, which it may differ by in addition: no filter is exact.
    """
    found = frequencies_of(expected)
    apart = found - frequencies
    if slack is None:
        return plane_of(apart, expected.shape)
    allowed = np.abs(found) * np.float32(share)
    allowed[..., 0, 0] = 0
    allowed += slack
    return plane_of(np.sign(apart) * np.maximum(np.abs(apart) - allowed, 0), expected.shape)


def sampled(plane: Plane, across: int, down: int) -> Plane:
    """The means of so many points: how colours are stored."""
    height, width = plane.shape
    whole = np.pad(plane, ((0, -height % down), (0, -width % across)), mode="edge")
    rows, columns = whole.shape[0] // down, whole.shape[1] // across
    return np.asarray(whole.reshape(rows, down, columns, across).mean(axis=(1, 3)))


def stored(plane: Plane, across: int, down: int) -> Plane:
    """The colours as a JPEG stores them, of those that decoding has upsampled by a triangle."""
    found = sampled(plane, across, down)
    if across == 2:  # noqa: PLR2004 - the only factor that is not upsampled by repeating
        found = _filtered(found, axis=1)
    if down == 2:  # noqa: PLR2004 - as above
        found = _filtered(found, axis=0)
    return found


def _filtered(plane: Plane, axis: int) -> Plane:
    margins = [(0, 0), (0, 0)]
    margins[axis] = (_REACH, _REACH)
    around = np.pad(plane, margins, mode="edge")
    length = plane.shape[axis]
    parts = (
        weight * around.take(range(at, at + length), axis) for at, weight in enumerate(_SHARPENING)
    )
    found = next(parts)
    for part in parts:
        found += part
    return np.asarray(found)
