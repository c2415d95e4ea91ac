"""What kind of picture bytes of our own are; ledgers hold WebP files of older versions."""

from __future__ import annotations

_JPEG = b"\xff\xd8\xff"


def image_subtype(data: bytes) -> str | None:
    """The subtype of `image/` of a small picture that was made here; None for what is none."""
    if data.startswith(_JPEG):
        return "jpeg"
    return "webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None
