"""The pixels of a picture as stored, for a comparison with another one."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

SIDE: Final = 1_024
"""Pixels of the longer side that are compared at most."""

Values: TypeAlias = npt.NDArray[np.uint8]
Plane: TypeAlias = npt.NDArray[np.float32]
Table: TypeAlias = npt.NDArray[np.float32]
"""A JPEG's 64 steps, in the order of the frequencies: down, across."""


class Pixels(NamedTuple):
    """A picture upright, in planes of a byte a pixel; may be reduced to `SIDE` or more."""

    size: tuple[int, int]  # of the whole picture
    planes: tuple[Image.Image, Image.Image, Image.Image]  # Y, Cb and Cr
    extent: tuple[float, float]  # how much of the planes is the picture, from the upper left corner
    saved: Literal["exactly", "jpeg", "somehow"]
    tables: tuple[Table, ...] = ()  # for each plane of a JPEG that is neither reduced nor turned
    sampling: tuple[int, int] = (2, 2)  # pixels across and down that share a JPEG's colours

    @property
    def whole(self) -> bool:
        """Whether no row or column of the planes is a partial one."""
        width, height = self.extent
        return width == self.planes[0].width and height == self.planes[0].height


def in_order(one: Pixels, other: Pixels) -> tuple[Pixels, Pixels]:
    """The larger picture, then the smaller one; of two of one size the better one is first."""

    def rank(picture: Pixels) -> tuple[int, int, float, tuple[int, int]]:
        how = ("exactly", "jpeg", "somehow").index(picture.saved)
        steps = sum(float(table.sum()) for table in picture.tables)
        return -picture.size[0] * picture.size[1], how, steps, picture.planes[0].size

    first, second = sorted((one, other), key=rank)
    return first, second
