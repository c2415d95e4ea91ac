"""Two perceptual hashes of 64 bits each, for finding a picture after mild changes.

They give the same bits as `phash` and `dhash` of the package imagehash, which would bring SciPy
along (143 MB) for one cosine transform.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

_SIDE: Final = 32  # pixels of the reduced picture whose frequencies are taken
_HASH_SIDE: Final = 8  # rows and columns of bits


def _cosines() -> npt.NDArray[np.float64]:
    """The lowest frequencies of the discrete cosine transform (type II), one a row."""
    frequencies = np.arange(_HASH_SIDE)[:, None]
    places = 2 * np.arange(_SIDE)[None, :] + 1
    return np.asarray(2 * np.cos(np.pi * frequencies * places / (2 * _SIDE)))


_COSINES: Final = _cosines()


def frequency_hash(grey: Image.Image) -> int:
    """The low frequencies of a grey picture that are stronger than their median."""
    pixels = _reduced(grey, _SIDE, _SIDE)
    # Rounded, for in a symmetric picture half of them are 0, and not by more or less than that
    frequencies = np.round(_COSINES @ pixels @ _COSINES.T, 6)
    return _packed(frequencies > np.median(frequencies))


def gradient_hash(grey: Image.Image) -> int:
    """The places where a grey picture becomes brighter from left to right."""
    pixels = _reduced(grey, _HASH_SIDE + 1, _HASH_SIDE)
    return _packed(pixels[:, 1:] > pixels[:, :-1])


def _reduced(grey: Image.Image, width: int, height: int) -> npt.NDArray[np.float64]:
    return np.asarray(grey.resize((width, height), Image.Resampling.LANCZOS), np.float64)


def _packed(bits: npt.NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(bits).tobytes(), "big")
