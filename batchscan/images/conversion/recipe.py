"""Recipe r1: from decoded pixels to the JPEG that is sent.

Shrink to 2,048 pixels on the longer side, colour profile to sRGB, orientation baked in, white
under transparency, JPEG quality 90, no metadata. Nothing is enlarged. The vendor's limits are
those of Google's web detection, whose own advice is that 640 x 480 is enough in most cases.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from PIL import Image, ImageCms

from batchscan.images.conversion.bands import shrink_to_eight_bits
from batchscan.images.thumbnail import TURNS
from batchscan.version import install_line

LONG_SIDE: Final = 2048  # pixels
QUALITY: Final = 90
_UPRIGHT: Final = 1
SPACES: Final = {"GRAY": ("L",), "RGB ": ("RGB", "L"), "CMYK": ("CMYK",), "Lab ": ("LAB",)}
"""Pillow's modes that profiles of a colour space apply to."""

PROFILE_UNREADABLE: Final = "colour_profile_unreadable"
NO_CMYK_PROFILE: Final = "cmyk_without_profile"


class CannotConvert(Exception):
    """The picture cannot be decoded correctly; the message is for the user."""


class TooManyPixels(CannotConvert):
    """The picture has more pixels than are decoded, or none."""

    def __init__(self, width: int, height: int, limit: int) -> None:
        super().__init__(
            f"{width}x{height} is {width * height:,} pixels; pictures of {limit:,} at most are"
            " converted: scale it down"
        )


class DecoderMissing(CannotConvert):
    """The decoder is an extra that is not installed."""

    def __init__(self) -> None:
        super().__init__(f"its decoder is not installed; {install_line('formats')}")


CheckSize: TypeAlias = Callable[[int, int], None]
"""Called with width and height before pixels are decoded; may wait, may raise `TooManyPixels`."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """An opened picture, whose pixels may be decoded later."""

    image: Image.Image
    profile: bytes | None = field(default=None, repr=False)  # ICC
    orientation: int = _UPRIGHT  # as in EXIF; 1 if the decoder has applied it
    warnings: tuple[str, ...] = ()
    inverted: bool = False  # white is zero, which the decoder has not applied
    info: Mapping[Any, Any] = field(default_factory=dict, repr=False)
    """The file's metadata, by Pillow's names: `exif`, `xmp`, `photoshop`."""


@dataclass(frozen=True, slots=True)
class Converted:
    """The JPEG to send."""

    data: bytes = field(repr=False)
    width: int
    height: int
    warnings: tuple[str, ...] = ()


def to_jpeg(decoded: Decoded) -> Converted:
    """Apply the recipe.

    Raises:
        CannotConvert: the pixels are of a kind that cannot be converted correctly.
        Exception: whatever the decoder raises over a damaged file.
    """
    small = shrink_to_eight_bits(decoded.image, LONG_SIDE, inverted=decoded.inverted)
    picture, warnings = _to_srgb(small, decoded.profile)
    picture.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.LANCZOS)
    turn = TURNS.get(decoded.orientation)
    if turn is not None:
        picture = picture.transpose(turn)
    out = io.BytesIO()
    picture.info.clear()  # it would be written into the JPEG
    picture.save(out, "JPEG", quality=QUALITY)
    return Converted(out.getvalue(), *picture.size, (*decoded.warnings, *warnings))


def _to_srgb(image: Image.Image, profile: bytes | None) -> tuple[Image.Image, tuple[str, ...]]:
    """Convert to sRGB by the embedded profile; grey stays grey where it has none."""
    if profile:
        converted = _by_profile(image, profile)
        if converted is not None:
            return converted, ()
    unreadable = (PROFILE_UNREADABLE,) if profile else ()
    if image.mode == "LAB":
        return _from_lab(image), unreadable
    if image.mode == "CMYK":
        return image.convert("RGB"), (*unreadable, NO_CMYK_PROFILE)
    return image, unreadable


def _by_profile(image: Image.Image, data: bytes) -> Image.Image | None:
    """None if the profile cannot be read, or does not fit these pixels."""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
        modes = SPACES.get(profile.profile.xcolor_space, ())
        if image.mode not in modes:
            return None
        return ImageCms.profileToProfile(
            image if image.mode == modes[0] else image.convert(modes[0]),
            profile,
            ImageCms.createProfile("sRGB"),
            outputMode="RGB",
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _from_lab(image: Image.Image) -> Image.Image:
    transform = ImageCms.buildTransform(
        ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB"
    )
    converted = ImageCms.applyTransform(image, transform)
    if converted is None:
        raise CannotConvert("its Lab colours cannot be converted")
    return converted


def exif_orientation(image: Image.Image) -> int:
    """The orientation in the metadata; 1 without a valid one."""
    try:
        value = image.getexif().get(0x0112, _UPRIGHT)
    # The decoders' boundary: metadata is as hostile as pixels.
    except Exception:  # noqa: BLE001
        return _UPRIGHT
    return value if value in TURNS else _UPRIGHT
