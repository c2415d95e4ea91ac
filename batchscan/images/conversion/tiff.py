"""TIFF: the largest page, and the kinds of pixels that Pillow gets wrong."""

from __future__ import annotations

from contextlib import suppress
from typing import BinaryIO, Final

from PIL import Image, TiffImagePlugin

from batchscan.images.conversion.recipe import (
    CannotConvert,
    CheckSize,
    Decoded,
    exif_orientation,
)
from batchscan.images.conversion.tiff_planes import decode_planes

MAX_PAGES: Final = 500
"""Pages that are looked at; a scanned book has one picture a page."""

_WHITE_IS_ZERO: Final = 0
_YCBCR: Final = 6
_PLANAR: Final = 2
_JPEG: Final = (6, 7)
_SAMPLE_FORMAT: Final = 339
_SUBSAMPLING: Final = 530
_XMP: Final = 700
_IPTC: Final = 33723
_IPTC_RESOURCE: Final = 0x0404
_UNSIGNED: Final = 1
_FLAT: Final = 8  # bits a channel
_DEEP: Final = 16
_FLOAT: Final = 3
_CONVERT: Final = "; save it with 16 or 8 bits a channel"


def decode(file: BinaryIO, check_size: CheckSize) -> Decoded:
    """The page with the most pixels; the first of equals.

    Raises:
        CannotConvert: it has too many pixels, or of a kind that is decoded wrong or not at all.
    """
    image = Image.open(file, formats=("TIFF",))
    assert isinstance(image, TiffImagePlugin.TiffImageFile)  # noqa: S101 - opened as one
    _seek_largest(image)
    check_size(*image.size)
    inverted = _check_pixel_kind(image)
    profile = image.info.get("icc_profile")
    orientation = exif_orientation(image)
    info: dict[str, object] = {}
    with suppress(Exception):  # the decoders' boundary: metadata is as hostile as pixels
        info = _info(image)
    if _has_deep_planes(image):
        planes = decode_planes(image, file)
        return Decoded(planes, profile, orientation, inverted=inverted, info=info)
    image.load()  # which turns it, and says so in its metadata
    if image.getexif().get(0x0112) in (None, 1):
        orientation = 1
    return Decoded(image, profile, orientation, inverted=inverted, info=info)


def _info(image: TiffImagePlugin.TiffImageFile) -> dict[str, object]:
    """What the page says of itself; its tags are EXIF's."""
    tags = image.tag_v2
    return {
        "exif": image.getexif().tobytes(),
        "xmp": tags.get(_XMP),
        "photoshop": {_IPTC_RESOURCE: tags.get(_IPTC)},
    }


def _seek_largest(image: TiffImagePlugin.TiffImageFile) -> None:
    best, most = 0, -1
    for page in range(MAX_PAGES):
        try:
            image.seek(page)
        except EOFError:
            break
        if image.width * image.height > most:
            best, most = page, image.width * image.height
    image.seek(best)


def _check_pixel_kind(image: TiffImagePlugin.TiffImageFile) -> bool:
    """Whether black and white are exchanged.

    Raises:
        CannotConvert: Pillow decodes such pixels wrong, or what they mean is not said.
    """
    tags = image.tag_v2
    bits = max(_numbers(tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,))))
    sample = max(_numbers(tags.get(_SAMPLE_FORMAT, (_UNSIGNED,))))
    photometric = tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION, 0)
    if sample == _FLOAT:
        raise CannotConvert(f"its pixels are floating-point numbers{_CONVERT}")
    if sample != _UNSIGNED or bits > _DEEP:
        raise CannotConvert(f"its pixels are signed or have more than 16 bits{_CONVERT}")
    if _FLAT < bits < _DEEP:
        raise CannotConvert(f"its pixels have {bits} bits{_CONVERT}")
    subsampled = tuple(_numbers(tags.get(_SUBSAMPLING, (2, 2)))) != (1, 1)
    if photometric == _YCBCR and tags.get(TiffImagePlugin.COMPRESSION) not in _JPEG and subsampled:
        raise CannotConvert("its colours are stored at half size; save it as RGB")
    return photometric == _WHITE_IS_ZERO and bits == _DEEP


def _has_deep_planes(image: TiffImagePlugin.TiffImageFile) -> bool:
    tags = image.tag_v2
    bits = max(_numbers(tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,))))
    channels = int(tags.get(TiffImagePlugin.SAMPLESPERPIXEL, 1))
    planar = tags.get(TiffImagePlugin.PLANAR_CONFIGURATION, 1) == _PLANAR
    return planar and bits == _DEEP and channels > 1


def _numbers(value: object) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, tuple) else (int(str(value)),)
