"""The colour profile of a JPEG 2000 file, which Pillow does not give (ISO 15444-1, annex I)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final

_MAX_HEADER: Final = 16 * 1024 * 1024  # bytes of a header box that are looked at
_MAX_BOXES: Final = 100
_HEAD: Final = 8  # bytes of a box's length and name
_LONG: Final = 1  # the length that says that the real one follows
_WITH_PROFILE: Final = (2, 3)  # methods: a restricted ICC profile, and any
_COLOUR_HEAD: Final = 3  # method, precedence, approximation


def colour_profile(file: BinaryIO) -> bytes | None:
    """The ICC profile of the first colour specification; None in files without one."""
    for name, content in _boxes(file):
        if name == b"jp2h":
            for inner, colours in _inner(content):
                if inner == b"colr" and colours[:1] and colours[0] in _WITH_PROFILE:
                    return colours[_COLOUR_HEAD:]
    return None


def _boxes(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """The boxes of a file; only the header's content is read."""
    at = 0
    for _ in range(_MAX_BOXES):
        file.seek(at)
        head = file.read(2 * _HEAD)
        length, name, start = int.from_bytes(head[:4], "big"), head[4:_HEAD], _HEAD
        if length == _LONG:
            length, start = int.from_bytes(head[_HEAD:], "big"), 2 * _HEAD
        if length < start:  # the last one reaches to the end; what is shorter is damaged
            return
        if name == b"jp2h":
            file.seek(at + start)
            yield name, file.read(min(length - start, _MAX_HEADER))
        at += length


def _inner(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + _HEAD <= len(content):
        length = int.from_bytes(content[at : at + 4], "big") or len(content) - at
        if length < _HEAD:
            return
        yield content[at + 4 : at + _HEAD], content[at + _HEAD : at + length]
        at += length
