"""How alike two pictures are, from 0 to 1.

Compared is the coarse structure: the signs of 16 x 16 low frequencies around their median (as in
PDQ), of a small grey copy. Changes of size, compression, colour or sharpness keep nearly all of the
256 bits; unrelated pictures agree in about half of them, which counts as 0. In very smooth pictures
most of these frequencies are noise, and the distribution of brightness over 16 x 16 points is more
reliable, so the higher of the two values counts. A crop, a mirrored copy or a collage scores low
although it is a copy.
"""

from __future__ import annotations

import math
import struct
from typing import Final

from PIL import Image

_LAYOUT: Final = struct.Struct("!Bf32s")  # version, detail, hash; thumbnail behind
_VERSION: Final = 1
_GREY: Final = 64
_SIDE: Final = 16
_FLAT: Final = 1.0  # mean step between neighbouring grey values; below it the hash is noise
_HALF: Final = 128  # bits that differ between unrelated pictures
# The correlation of brightness in unrelated photographs: sky above, ground below.
_CORRELATED: Final = 0.9
_FAR: Final = 64  # mean difference of a thumbnail's values: of unrelated flat pictures


def fingerprint(image: Image.Image) -> bytes:
    """A picture's fingerprint; some 800 bytes.

    Args:
        image: decoded or opened, upright, without transparency.
    """
    import numpy as np  # noqa: PLC0415 - comparing does without

    from batchscan.renditions.fingerprint import detail_of, hash_of  # noqa: PLC0415 - the same

    image.draft("RGB", (4 * _GREY, 4 * _GREY))
    colours = image.convert("RGB")
    grey = colours.convert("L").resize((_GREY, _GREY), Image.Resampling.LANCZOS)
    values = np.asarray(grey, np.float32)
    small = colours.resize((_SIDE, _SIDE), Image.Resampling.BOX)
    return _LAYOUT.pack(_VERSION, detail_of(values), hash_of(values)) + small.tobytes()


def likeness(one: bytes | None, other: bytes | None) -> float | None:
    """How alike two pictures are by their fingerprints; None if one is invalid.

    1 is the same picture, 0 is the likeness of unrelated ones.
    """
    ours, theirs = _parsed(one), _parsed(other)
    if ours is None or theirs is None:
        return None
    (detail, mark, small), (other_detail, other_mark, other_small) = ours, theirs
    if max(detail, other_detail) < _FLAT:  # two plain surfaces: compare their colours
        apart = sum(abs(a - b) for a, b in zip(small, other_small, strict=True)) / len(small)
        return max(0.0, 1 - apart / _FAR)
    differing = (int.from_bytes(mark, "big") ^ int.from_bytes(other_mark, "big")).bit_count()
    return max(0.0, 1 - differing / _HALF, _spread_alike(small, other_small))


def _spread_alike(one: bytes, other: bytes) -> float:
    """How alike brightness is distributed: the upper part of the correlation of two thumbnails."""
    ours, theirs = _deviations(one), _deviations(other)
    scale = math.sqrt(sum(a * a for a in ours) * sum(b * b for b in theirs))
    if not scale:
        return 0.0
    correlation = sum(a * b for a, b in zip(ours, theirs, strict=True)) / scale
    return max(0.0, (correlation - _CORRELATED) / (1 - _CORRELATED))


def _deviations(small: bytes) -> list[float]:
    values = [sum(small[at : at + 3]) for at in range(0, len(small), 3)]
    mean = sum(values) / len(values)
    return [value - mean for value in values]


def _parsed(mark: bytes | None) -> tuple[float, bytes, bytes] | None:
    if mark is None or len(mark) != _LAYOUT.size + _SIDE * _SIDE * 3 or mark[0] != _VERSION:
        return None
    _, detail, bits = _LAYOUT.unpack_from(mark)
    return detail, bits, mark[_LAYOUT.size :]
