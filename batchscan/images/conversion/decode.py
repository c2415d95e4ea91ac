"""Choosing the decoder for a format."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, Final

from batchscan.images import kinds
from batchscan.images.conversion import by_pillow, heif, jxl, psd, raw, tiff
from batchscan.images.conversion.bands import CONVERTIBLE
from batchscan.images.conversion.recipe import CannotConvert, CheckSize, Decoded
from batchscan.images.kinds import ImageFormat

_DECODERS: Final[dict[ImageFormat, Callable[[BinaryIO, CheckSize], Decoded]]] = {
    kinds.HEIC: heif.decode,
    kinds.JXL: jxl.decode,
    kinds.PSD: psd.decode,
    kinds.TIFF: tiff.decode,
}


def decode(kind: ImageFormat, file: BinaryIO, check_size: CheckSize) -> Decoded:
    """Open a picture; some decoders leave the pixels for later.

    Args:
        kind: what the content is; `is_convertible`.
        file: open for reading, seekable.
        check_size: called before pixels are decoded.

    Raises:
        CannotConvert: it has more pixels, or is of a kind of which no right picture can be made.
        DecoderMissing: its decoder is not installed.
        Exception: whatever the decoder raises over a damaged file.
    """
    if kind.group == "raw":
        decoded = raw.decode(file, check_size)
    elif kind in _DECODERS:
        decoded = _DECODERS[kind](file, check_size)
    else:
        decoded = by_pillow.decode(kind, file, check_size)
    if decoded.image.mode not in CONVERTIBLE:
        raise CannotConvert(
            f"its pixels are of a kind ({decoded.image.mode}) that cannot be converted"
        )
    return decoded
