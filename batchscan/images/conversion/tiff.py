"""TIFF: the largest page, and the kinds of pixels that Pillow gets wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final

from PIL import Image, TiffImagePlugin

from batchscan.images.conversion.recipe import (
    CannotConvert,
    CheckSize,
    Decoded,
    exif_orientation,
)
from batchscan.images.conversion.tiff_pixels import FLOAT, PLANES, decode_pixels, is_deep
from batchscan.images.metadata import ifd
from batchscan.images.metadata.exif import Exif
from batchscan.images.metadata.ifd import Directory
from batchscan.images.thumbnail import TURNS

MAX_PAGES: Final = 500
"""Pages that are looked at; a scanned book has one picture a page."""

_WHITE_IS_ZERO: Final = 0
_YCBCR: Final = 6
_JPEG: Final = (6, 7)
_IPTC_RESOURCE: Final = 0x0404
_UNSIGNED: Final = 1
_FLAT: Final = 8  # bits a channel
_DEEP: Final = 16
_TURNED_ASIDE: Final = 5  # the first orientation that exchanges width and height
_MAX_PROFILE: Final = 16 * 1024 * 1024  # bytes
_CONVERT: Final = "; save it with 16 or 8 bits a channel"


def decode(file: BinaryIO, check_size: CheckSize) -> Decoded:
    """The page with the most pixels; the first of equals.

    Raises:
        CannotConvert: it has too many pixels, or of a kind that is decoded wrong or not at all.
    """
    number, page = _largest(file)
    _check_pixel_kind(page)
    if is_deep(page):
        return _deep(page, file, check_size)
    with _by_libtiff(_is_subsampled(page)):
        image = Image.open(file, formats=("TIFF",))
        image.seek(number)
    check_size(*image.size)
    orientation = exif_orientation(image)
    profile = image.info.get("icc_profile")
    image.load()  # which turns it, and says so in its metadata
    if image.getexif().get(ifd.ORIENTATION) in (None, 1):
        orientation = 1
    return Decoded(image, profile, orientation, inverted=_is_inverted(page), info=_info(page))


def _deep(page: Directory, file: BinaryIO, check_size: CheckSize) -> Decoded:
    orientation = page.first(ifd.ORIENTATION)
    size = (page.width, page.height)
    check_size(*(reversed(size) if orientation >= _TURNED_ASIDE else size))
    stored = page.value(ifd.ICC_PROFILE, _MAX_PROFILE)
    picture, profile = decode_pixels(page, file, stored or None)
    return Decoded(
        picture,
        profile,
        orientation if orientation in TURNS else 1,
        inverted=_is_inverted(page),
        info=_info(page),
    )


def _info(page: Directory) -> dict[str, object]:
    """The page's metadata; its tags are EXIF's."""
    return {
        "exif": Exif.of_page(page),
        "xmp": page.value(ifd.XMP),
        "photoshop": {_IPTC_RESOURCE: page.value(ifd.IPTC)},
    }


def _largest(file: BinaryIO) -> tuple[int, Directory]:
    pages = ifd.chain(ifd.reads_file(file), MAX_PAGES)
    return max(
        enumerate(pages),
        key=lambda numbered: numbered[1].width * numbered[1].height,
        default=(0, Directory()),
    )


def _check_pixel_kind(page: Directory) -> None:
    """Hold a page's kind of numbers against what can be decoded.

    Raises:
        CannotConvert: such pixels are decoded wrong, or what they mean is not said.
    """
    bits = max(page.numbers(ifd.BITS) or (1,))
    sample = max(page.numbers(ifd.SAMPLE_FORMAT) or (_UNSIGNED,))
    if sample != FLOAT and (sample != _UNSIGNED or bits > _DEEP):
        raise CannotConvert(f"its pixels are signed or have more than 16 bits{_CONVERT}")
    if _is_subsampled(page) and page.first(ifd.PLANAR, 1) == PLANES:
        raise CannotConvert("its colours are stored at half size in planes; save it as RGB")


def _is_inverted(page: Directory) -> bool:
    """Whether black and white are exchanged; Pillow does it for shallow pixels only."""
    bits = max(page.numbers(ifd.BITS) or (1,))
    return page.first(ifd.PHOTOMETRIC) == _WHITE_IS_ZERO and bits > _FLAT


def _is_subsampled(page: Directory) -> bool:
    """Whether colours are stored at a fraction of the size, which only libtiff can read."""
    return (
        page.first(ifd.PHOTOMETRIC) == _YCBCR
        and page.first(ifd.COMPRESSION, 1) not in _JPEG
        and (page.numbers(ifd.SUBSAMPLING)[:2] or (2, 2)) != (1, 1)
    )


@contextmanager
def _by_libtiff(needed: bool) -> Iterator[None]:
    """Have Pillow read uncompressed pixels by libtiff, too; a switch for the whole process."""
    TiffImagePlugin.READ_LIBTIFF = needed
    try:
        yield
    finally:
        TiffImagePlugin.READ_LIBTIFF = False
