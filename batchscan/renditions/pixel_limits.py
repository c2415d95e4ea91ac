"""The measured differences between versions, for each way of saving."""

from __future__ import annotations

from typing import Final, TypeAlias

from batchscan.renditions.pixels import Pixels

SQUARES: Final = (1, 2, 4, 8, 16)
"""Sides of the squares over which differences of lightness are averaged, in points."""

COLOUR_SQUARES: Final = (1, 2, 4, 8)
"""The same of colours, in points of half the size."""

Measured: TypeAlias = tuple[float, ...]
"""Levels: the largest of the squares of each size by lightness and by colour, then both means."""

_COARSE: Final = 8.0  # the mean step of a JPEG's low frequencies: quality 75 has 9
_LOW: Final = 3  # frequencies down and across
_NEAR: Final = 0.75  # of the larger one's size, from which on its own compression shows

_EXACTLY: Final = (5.9, 2.6, 1.8, 1.5, 1.3, 11.8, 4.8, 2.2, 1.3, 0.6, 0.65)

LIMITS: Final[dict[str, Measured]] = {
    "exactly same": _EXACTLY,
    "exactly smaller": _EXACTLY,
    "fine same": (10.9, 6.4, 2.6, 1.2, 1.0, 3.7, 1.9, 1.3, 1.2, 0.6, 0.6),
    "fine smaller": (10.8, 6.1, 3.2, 1.8, 1.0, 5.7, 2.4, 1.1, 0.9, 0.4, 0.4),
    "coarse same": (13.0, 9.1, 2.2, 1.3, 1.0, 3.6, 2.4, 1.6, 0.8, 0.4, 0.4),
    "coarse smaller": (11.8, 4.4, 3.0, 2.1, 1.0, 5.1, 3.2, 1.3, 0.8, 0.4, 0.4),
    "somehow same": (42.9, 19.0, 7.3, 3.9, 2.4, 18.0, 12.0, 6.4, 3.1, 0.5, 0.75),
    "somehow smaller": (33.6, 14.1, 6.0, 3.7, 2.3, 20.8, 13.1, 5.6, 3.0, 0.5, 0.75),
    "reduced": (19.7, 11.1, 6.4, 3.4, 2.1, 10.8, 7.6, 5.2, 2.5, 0.55, 0.65),
}
"""By kind (`kind_of`): 1.15 times what 97 % of the versions of 28 pictures stayed within, each."""


def kind_of(large: Pixels, small: Pixels, size: tuple[int, int]) -> str:
    """Which limits are those of a pair, by how the two were saved.

    Args:
        large: the larger one.
        small: the smaller one.
        size: at which they are compared.
    """
    if size != small.size:
        return "reduced"
    many = "same" if large.size == small.size else "smaller"
    near = size[0] >= _NEAR * large.size[0]
    if small.saved == "somehow" or (near and large.saved == "somehow"):
        return f"somehow {many}"
    if small.saved == "exactly":
        return f"exactly {many}"
    low = small.tables[0].reshape(8, 8)[:_LOW, :_LOW].mean()
    return f"{'coarse' if low > _COARSE else 'fine'} {many}"
