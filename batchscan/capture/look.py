"""A small look at a picture from outside, made by a decoder process of ours."""

from __future__ import annotations

import io
from typing import Final

from PIL import Image

from batchscan.images.decoding.pool import Decoders
from batchscan.images.decoding.process import Source
from batchscan.images.rules import RuleViolation
from batchscan.images.signature import HEAD_BYTES, sniff

EDGE: Final = 512
"""Pixels that neither side has more of."""

_QUALITY: Final = 80


def look_at(data: bytes, decoders: Decoders) -> bytes | None:
    """Make a small JPEG of a picture by whomever; blocks. None where it cannot be decoded.

    Its bytes are read in the decoders' process only: what is made small here was encoded there.
    """
    kind = sniff(data[:HEAD_BYTES])
    if kind is None:
        return None
    try:
        converted = decoders.convert(kind, Source(data), check_raw=kind.group == "raw")
    except RuleViolation:
        return None
    with Image.open(io.BytesIO(converted.data), formats=("JPEG",)) as image:
        image.thumbnail((EDGE, EDGE), Image.Resampling.LANCZOS)
        small = io.BytesIO()
        image.convert("RGB").save(small, "JPEG", quality=_QUALITY, optimize=True)
    return small.getvalue()
