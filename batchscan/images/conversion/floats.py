"""Converting floating-point pixels to 8 bits.

The brightness of 0.5 depends on the colour profile: HDR programs store linear light, others values
with a tone curve. 1.0 is white; brighter values are clipped to it, as viewers do.
"""

from __future__ import annotations

import io
from typing import Final

import numpy as np
from PIL import ImageCms

from batchscan.images.conversion import icc
from batchscan.images.conversion.recipe import SPACES, CannotConvert

_WHITE: Final = 0x3C00  # 1.0 as 16 bits
_DARK: Final = 0.0031308  # below it the curve of sRGB is a straight line
_DIMMEST: Final = 0.01  # a picture whose brightest value is less is not counted from 0 to 1
_ADVICE: Final = "; save it with 16 or 8 bits a channel"


class FloatScale:
    """From numbers to 8 bits, by a table of all numbers of 16 bits: twice as fine as 8 bits need."""

    def __init__(self, profile: bytes | None, mode: str) -> None:
        """Prepare for a picture.

        Args:
            profile: its ICC profile.
            mode: of the picture that is made, "L" or "RGB".

        Raises:
            CannotConvert: there is no usable profile, so the meaning of the values is unknown.
        """
        if profile is None or not _fits(profile, mode):
            raise CannotConvert(
                "its pixels are floating-point numbers, and no colour profile says what they mean;"
                " save it with one, or with 16 or 8 bits a channel"
            )
        linear = icc.is_linear(profile)
        self.profile = icc.with_srgb_curve(profile) if linear else profile
        self._table = _table(linear=linear)
        self._inside = self._all = 0
        self._brightest = 0

    def eight_bits(self, values: np.ndarray) -> np.ndarray:
        """Values of any floating-point type as 8 bits."""
        with np.errstate(over="ignore", invalid="ignore"):
            numbers = values.astype(np.float16).view(np.uint16)
        inside = numbers[numbers <= _WHITE]
        self._inside += inside.size
        self._all += numbers.size
        self._brightest = max(self._brightest, int(inside.max(initial=0)))
        return self._table[numbers]

    def check(self) -> None:
        """Check that the values seen are plausible.

        Raises:
            CannotConvert: most are outside the range from black to white, or all are nearly black.
        """
        if 2 * self._inside < self._all:
            raise CannotConvert(f"most of its floating-point values are not from 0 to 1{_ADVICE}")
        brightest = float(np.uint16(self._brightest).view(np.float16))
        if 0 < brightest < _DIMMEST and self._inside == self._all:
            raise CannotConvert(
                f"its brightest floating-point value is {brightest:.2g}, where 1 is white{_ADVICE}"
            )


def _table(*, linear: bool) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        values = np.arange(65_536, dtype=np.uint16).view(np.float16).astype(np.float64)
        values = np.clip(np.nan_to_num(values, nan=0.0), 0.0, 1.0)
    if linear:  # IEC 61966-2-1
        bright = 1.055 * values ** (1 / 2.4) - 0.055
        values = np.where(values <= _DARK, 12.92 * values, bright)
    return (values * 255 + 0.5).astype(np.uint8)


def _fits(profile: bytes, mode: str) -> bool:
    try:
        space = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return False
    return mode in SPACES.get(space, ())
