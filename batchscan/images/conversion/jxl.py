"""JPEG XL, by libjxl: turned upright, of an animation the first frame."""

from __future__ import annotations

from typing import BinaryIO

from PIL import Image

from batchscan.images.conversion.recipe import CannotConvert, CheckSize, Decoded, DecoderMissing


def decode(file: BinaryIO, check_size: CheckSize) -> Decoded:
    """A whole JPEG XL picture.

    Raises:
        CannotConvert: it has too many pixels, or floating-point ones.
        DecoderMissing: pylibjxl is not installed.
    """
    try:
        import pylibjxl  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise DecoderMissing from error
    data = file.read()
    header = pylibjxl.probe(data)
    check_size(header["width"], header["height"])
    if header["exponent_bits_per_sample"]:
        raise CannotConvert("its pixels are floating-point numbers; save it with 16 or 8 bits")
    pixels, metadata = pylibjxl.decode(data, metadata=True)
    if pixels.shape[-1] == 1:
        pixels = pixels[:, :, 0]
    profile = metadata.get("icc_profile") or metadata.get("icc")
    return Decoded(Image.fromarray(pixels), profile, info=metadata)
