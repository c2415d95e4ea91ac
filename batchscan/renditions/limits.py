"""What pure versions were measured to differ by, for each way of saving."""

from __future__ import annotations

from typing import Final, NamedTuple

from batchscan.renditions.aligned import Aligned

SQUARES: Final = (1, 2, 3, 4, 6, 8, 12, 16)
"""Sides of the squares over which differences are averaged, in points of a plane."""

_COARSE: Final = 17.0  # the mean step of a JPEG's low frequencies: quality 45 has 20
_MEDIUM: Final = 8.0  # quality 75 has 9
_NEAR: Final = 0.75  # of the larger one's size, from which on its own compression shows


_REDUCED: Final = "reduced"  # so large that it was made smaller for the comparison


class Limits(NamedTuple):
    """The largest differences of versions, in levels."""

    luma: tuple[float, ...]  # by squares
    colour: tuple[float, ...]
    luma_mean: float
    colour_mean: float


LIMITS: Final = {
    "converted same": Limits(
        (16.86, 8.26, 5.97, 4.67, 3.05, 2.47, 1.62, 1.34),
        (6.21, 4.9, 3.98, 3.32, 2.48, 2.37, 1.8, 1.58),
        0.46,
        1.00,
    ),
    "converted smaller": Limits(
        (14.39, 7.06, 5.07, 4.06, 2.97, 2.18, 1.78, 1.45),
        (5.76, 4.21, 3.52, 2.94, 2.13, 1.84, 1.56, 1.45),
        0.39,
        0.82,
    ),
    "exact same": Limits(
        (1.84, 1.68, 1.57, 1.51, 1.43, 1.37, 1.28, 1.26),
        (1.8, 1.74, 1.57, 1.54, 1.48, 1.44, 1.25, 1.17),
        0.80,
        0.78,
    ),
    "exact smaller": Limits(
        (9.75, 5, 2.81, 2.44, 1.86, 1.73, 1.55, 1.49),
        (12.94, 6.38, 3.47, 2.66, 1.88, 1.62, 1.45, 1.41),
        0.81,
        0.80,
    ),
    "high same": Limits(
        (2.4, 2, 1.7, 1.5, 1.2, 1, 0.8, 0.7),
        (2, 1.9, 1.7, 1.5, 1.3, 1.1, 1, 0.95),
        0.50,
        0.50,
    ),
    "high smaller": Limits(
        (8.42, 3.84, 2.77, 2.35, 1.96, 1.58, 1.37, 1.28),
        (8.2, 3.56, 2.18, 1.53, 1.03, 1.01, 0.95, 0.9),
        0.64,
        0.29,
    ),
    "low same": Limits(
        (3.51, 2.77, 2.28, 2.2, 1.79, 1.52, 1.18, 1.01),
        (3.04, 2.51, 2.04, 1.5, 1.3, 1.1, 1, 0.95),
        0.50,
        0.55,
    ),
    "medium same": Limits(
        (2.94, 2.36, 1.87, 1.71, 1.44, 1.39, 1.06, 0.78),
        (2, 1.9, 1.7, 1.5, 1.3, 1.1, 1, 0.95),
        0.50,
        0.50,
    ),
    "medium smaller": Limits(
        (2.41, 2.27, 2.19, 2.17, 1.84, 1.67, 1.14, 1.04),
        (2.4, 1.9, 1.43, 1.14, 0.91, 1, 0.95, 0.9),
        0.30,
        0.38,
    ),
    "webp same": Limits(
        (15.65, 9.49, 7.19, 5.62, 4.07, 3.57, 2.79, 2.35),
        (11.2, 7.89, 5.94, 4.81, 3.61, 3.25, 2.45, 2.06),
        0.89,
        1.19,
    ),
    "webp smaller": Limits(
        (26.53, 11.73, 6.84, 5.58, 3.73, 3.1, 2.58, 2.17),
        (12.21, 7.91, 5.97, 4.45, 3.34, 2.72, 2.25, 1.98),
        0.82,
        1.03,
    ),
    _REDUCED: Limits(
        (24, 7, 4.8, 3.6, 2.8, 2.4, 2.1, 1.9),
        (16, 8, 5, 3.8, 2.6, 2.2, 2.1, 2),
        0.8,
        0.9,
    ),
}
"""By kind (`kind_of`): 1.1 to 1.4 times what 95 % of the versions of 27 pictures stayed within.

Saved twice, a picture differs by more than saved once, so JPEGs of one size have lower bounds; the
limits of large ones are those of 6 pictures.
"""


def kind_of(pair: Aligned) -> str:
    """Which limits are those of a pair, by how the two were saved."""
    if pair.small.saved == _REDUCED:
        return _REDUCED
    lossy = [pair.small, *([pair.large] if pair.scale >= _NEAR else [])]
    lossy = [each for each in lossy if each.saved == "somehow"]
    size = "same" if pair.same_size else "smaller"
    if any(not each.tables for each in lossy):
        return f"webp {size}"
    if lossy:
        return f"converted {size}"
    if not pair.small.tables or (pair.same_size and not pair.large.tables):
        return f"exact {size}"
    low = [step for row in range(3) for step in pair.small.tables[0][8 * row : 8 * row + 3]]
    mean = sum(low) / len(low)
    quality = "low" if mean > _COARSE else "medium" if mean > _MEDIUM else "high"
    return f"{quality} {size}"
