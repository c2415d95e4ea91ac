"""The tags of ICC profiles (ICC.1), and the changes of them that conversions need."""

from __future__ import annotations

import struct
from functools import cache
from typing import Final

from PIL import ImageCms

_TAGS_AT: Final = 128
_TAG: Final = struct.Struct(">4sII")  # name, offset, size
_MAX_TAGS: Final = 100
_CURVES: Final = (b"rTRC", b"gTRC", b"bTRC", b"kTRC")
_TABLES: Final = (b"A2B0", b"A2B1", b"A2B2", b"D2B0")  # which come before the curves
_ONE: Final = {b"curv": 0x0100, b"para": 0x10000}  # an exponent of 1 as each writes it
_VALUES: Final = 65_535  # of a curve's table
_ALMOST: Final = 256  # of these: what a table may be off a straight line


@cache
def srgb() -> bytes:
    """A profile of sRGB."""
    return bytes(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())


def tags(profile: bytes) -> dict[bytes, tuple[int, int]]:
    """Offset and length of each tag's data; empty if it is not a profile."""
    if len(profile) < _TAGS_AT + 4:
        return {}
    (count,) = struct.unpack_from(">I", profile, _TAGS_AT)
    table = profile[_TAGS_AT + 4 :][: _TAG.size * min(count, _MAX_TAGS)]
    length = len(table) // _TAG.size * _TAG.size
    return {name: (offset, size) for name, offset, size in _TAG.iter_unpack(table[:length])}


def is_linear(profile: bytes) -> bool:
    """Whether its values count light: curves that are straight lines, and no tables."""
    profile_tags = tags(profile)
    curves = [profile_tags[name] for name in _CURVES if name in profile_tags]
    if not curves or any(name in profile_tags for name in _TABLES):
        return False
    return all(_is_straight(profile[offset:][:size]) for offset, size in curves)


def with_srgb_curve(profile: bytes) -> bytes:
    """The same colours with the tone curve of sRGB: for values that were encoded by it."""
    made = bytearray(profile)
    offset, size = tags(srgb())[b"rTRC"]
    place = len(made) + -len(made) % 4
    made += bytes(-len(made) % 4) + srgb()[offset:][:size]
    struct.pack_into(">I", made, 0, len(made))
    for number, name in enumerate(tags(profile)):
        if name in _CURVES:
            _TAG.pack_into(made, _TAGS_AT + 4 + _TAG.size * number, name, place, size)
    return bytes(made)


def _is_straight(curve: bytes) -> bool:
    kind = curve[:4]
    if kind == b"para":
        return curve[8:10] == b"\0\0" and curve[12:16] == _ONE[kind].to_bytes(4, "big")
    if kind != b"curv":
        return False
    count = int.from_bytes(curve[8:12], "big")
    values = [value for (value,) in struct.iter_unpack(">H", curve[12:][: 2 * count])]
    if len(values) != count:
        return False
    if count <= 1:
        return not values or values[0] == _ONE[kind]
    return all(
        abs(value - number * _VALUES / (count - 1)) <= _ALMOST
        for number, value in enumerate(values)
    )
