"""Telling our own JPEG thumbnails from WebP ones, which older versions have made."""

from __future__ import annotations

_JPEG = b"\xff\xd8\xff"


def image_subtype(data: bytes) -> str | None:
    """The media subtype of a thumbnail; None for other bytes."""
    if data.startswith(_JPEG):
        return "jpeg"
    return "webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None
