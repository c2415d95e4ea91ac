"""HEIC and HEIF: the primary image, which libheif has turned upright already."""

from __future__ import annotations

import struct
from functools import cache
from typing import Any, BinaryIO, Final

from batchscan.images.conversion import icc
from batchscan.images.conversion.recipe import CannotConvert, CheckSize, Decoded, DecoderMissing

# ITU-T H.273, tables 2 and 3.
_P3_PRIMARIES: Final = 12
# The primaries, adapted to D50 as profiles have them (SMPTE EG 432-1 and Bradford's matrix).
_P3_COLORANTS: Final = {
    b"rXYZ": (0.51512, 0.24120, -0.00105),
    b"gXYZ": (0.29198, 0.69225, 0.04189),
    b"bXYZ": (0.15710, 0.06657, 0.78407),
}
_HDR_TRANSFERS: Final = {16: "PQ", 18: "HLG"}


def decode(file: BinaryIO, check_size: CheckSize) -> Decoded:
    """The primary image of a still, a burst or a live photo.

    Raises:
        CannotConvert: it has too many pixels, or a brightness curve of HDR video.
        DecoderMissing: pillow-heif is not installed.
    """
    try:
        import pillow_heif  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise DecoderMissing from error
    heif = pillow_heif.open_heif(file, convert_hdr_to_8bit=True)
    check_size(heif.size[0], heif.size[1])
    colours: dict[str, Any] = heif.info.get("nclx_profile") or {}
    profile = heif.info.get("icc_profile") or named_profile(
        colours.get("color_primaries", 0), colours.get("transfer_characteristics", 0)
    )
    image = heif.to_pillow()
    info = dict(heif.info)
    image.info.clear()
    return Decoded(image, profile, info=info)


def named_profile(primaries: int, transfer: int) -> bytes | None:
    """The ICC profile of colours that a file names by numbers (ITU-T H.273); None for sRGB.

    Raises:
        CannotConvert: the brightness curve is one of HDR video.
    """
    if curve := _HDR_TRANSFERS.get(transfer):
        raise CannotConvert(f"its brightness follows {curve}, as HDR video does; save it as SDR")
    return display_p3() if primaries == _P3_PRIMARIES else None


@cache
def display_p3() -> bytes:
    """An ICC profile of Display P3: many phones name these colours by a number only.

    Its tone curve is that of sRGB, so that only the primaries are written anew.
    """
    profile = bytearray(icc.srgb())
    for name, (offset, _) in icc.tags(icc.srgb()).items():
        if colorant := _P3_COLORANTS.get(name):
            values = (round(value * 65536) for value in colorant)
            struct.pack_into(">3i", profile, offset + 8, *values)
    return bytes(profile)
