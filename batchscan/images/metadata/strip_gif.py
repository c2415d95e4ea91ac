"""GIF without metadata (GIF89a specification, Netscape's loop extension)."""

from __future__ import annotations

from typing import Final

from batchscan.images.metadata.stripping import CannotStrip, Kept, joined
from batchscan.images.segments import (
    GIF_EXTENSION,
    GIF_FRAME,
    GIF_HEADER,
    GIF_TRAILER,
    gif_blocks,
    gif_data_start,
)

_GRAPHIC_CONTROL: Final = 0xF9
_APPLICATION: Final = 0xFF
_LOOPS: Final = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_LOOP_BLOCK: Final = 3  # bytes: the number 1, and how often
_PROFILE: Final = b"ICCRGBG1012"


def strip_gif(data: bytes, orientation: int) -> bytes:  # noqa: ARG001 - a GIF has none
    """A GIF without comments, texts and application blocks but its loop and colour profile.

    Bytes between two blocks are dropped; decoders pass over them.

    Raises:
        CannotStrip: its header is cut off.
    """
    if len(data) < GIF_HEADER:
        raise CannotStrip("the GIF header is cut off")
    parts: list[Kept | bytes] = [Kept(0, gif_data_start(data))]
    trailer: Kept | bytes = bytes((GIF_TRAILER,))
    for introducer, start, end in gif_blocks(data):
        if introducer == GIF_FRAME:
            parts.append(Kept(start, end))
        elif introducer == GIF_EXTENSION:
            parts.append(_kept(data, start, end))
        elif introducer == GIF_TRAILER:
            trailer = Kept(start, end)
    return joined(data, (*parts, trailer))


def _kept(data: bytes, start: int, end: int) -> Kept | bytes:
    label = data[start + 1] if start + 1 < len(data) else 0
    if label == _GRAPHIC_CONTROL:
        return Kept(start, end)
    name = data[start + 3 : start + 14]
    if label != _APPLICATION:
        return b""
    if name == _PROFILE:
        return Kept(start, end)
    loop = data[start + 14 : start + 18]
    if name in _LOOPS and loop[:2] == bytes((_LOOP_BLOCK, 1)):
        loops = data[start : start + 18] + b"\0"
        return Kept(start, end) if loops == data[start:end] else loops
    return b""
