"""GIF without metadata (GIF89a specification, Netscape's loop extension)."""

from __future__ import annotations

from typing import Final

from batchscan.images.metadata.stripping import CannotStrip

_HEADER: Final = 13  # signature and logical screen descriptor
_EXTENSION: Final = 0x21
_IMAGE: Final = 0x2C
_TRAILER: Final = 0x3B
_GRAPHIC_CONTROL: Final = 0xF9
_APPLICATION: Final = 0xFF
_LOOPS: Final = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_LOOP_BLOCK: Final = 3  # bytes: the number 1, and how often
_PROFILE: Final = b"ICCRGBG1012"


def strip_gif(data: bytes, orientation: int) -> bytes:  # noqa: ARG001 - a GIF has none
    """A GIF without comments, texts and application blocks but its loop and colour profile.

    What lies between two blocks and is none is passed over, as decoders do.

    Raises:
        CannotStrip: its header is cut off.
    """
    if len(data) < _HEADER:
        raise CannotStrip("the GIF header is cut off")
    at = _HEADER + _table(data[10])
    parts = [data[:at]]
    while at < len(data) and data[at] != _TRAILER:
        if data[at] == _EXTENSION:
            start, at = at, _blocks_end(data, at + 2)
            parts.append(_kept(data, start, at))
        elif data[at] == _IMAGE:
            start, at = at, _image_end(data, at)
            parts.append(data[start:at])
        else:
            at += 1
    return b"".join((*parts, bytes((_TRAILER,))))


def _table(packed: int) -> int:
    """Bytes of the colour table that a packed field announces."""
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0


def _image_end(data: bytes, at: int) -> int:
    packed = data[at + 9] if at + 9 < len(data) else 0
    return _blocks_end(data, at + 10 + _table(packed) + 1)


def _blocks_end(data: bytes, at: int) -> int:
    """Where a chain of sub-blocks ends, behind its terminator, or where the file does."""
    while at < len(data) and (length := data[at]):
        at += 1 + length
    return min(at + 1, len(data))


def _kept(data: bytes, start: int, end: int) -> bytes:
    label = data[start + 1] if start + 1 < len(data) else 0
    if label == _GRAPHIC_CONTROL:
        return data[start:end]
    name = data[start + 3 : start + 14]
    if label != _APPLICATION:
        return b""
    if name == _PROFILE:
        return data[start:end]
    loop = data[start + 14 : start + 18]
    if name in _LOOPS and loop[:2] == bytes((_LOOP_BLOCK, 1)):
        return data[start : start + 18] + b"\0"
    return b""
