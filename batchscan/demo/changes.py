"""Changes that websites make to the pictures that they copy, small and large ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

from PIL import Image, ImageDraw, ImageEnhance, ImageFont, ImageOps

from batchscan.demo.artwork import encoded

_TEXT: Final = "SUMMER SALE - ONLY TODAY"
_GOOD: Final = 85  # a JPEG's quality


@dataclass(frozen=True, slots=True)
class Change:
    """One way to change a picture; it is then saved as a JPEG of this quality."""

    what: str
    make: Callable[[Image.Image], Image.Image]
    quality: int = _GOOD

    def copy(self, picture: Image.Image) -> bytes:
        """The changed copy's file."""
        return encoded(self.make(picture), "JPEG", quality=self.quality)


def _resized(picture: Image.Image, part: float) -> Image.Image:
    size = (max(1, round(picture.width * part)), max(1, round(picture.height * part)))
    return picture.resize(size, Image.Resampling.LANCZOS)


def _cropped(
    picture: Image.Image, wide: float, high: float, left: float, top: float
) -> Image.Image:
    """Keep these parts of width and height; 0 is the left or upper end, 1 the other one."""
    width, height = round(picture.width * wide), round(picture.height * high)
    x, y = round((picture.width - width) * left), round((picture.height - height) * top)
    return picture.crop((x, y, x + width, y + height))


def _coloured(picture: Image.Image, degrees: float, bright: float, vivid: float) -> Image.Image:
    hue, saturation, value = picture.convert("RGB").convert("HSV").split()
    turn = round(degrees * 256 / 360)
    hue = hue.point([(level + turn) % 256 for level in range(256)])
    turned = Image.merge("HSV", (hue, saturation, value)).convert("RGB")
    return ImageEnhance.Brightness(ImageEnhance.Color(turned).enhance(vivid)).enhance(bright)


def _bordered(picture: Image.Image, part: float, colour: str) -> Image.Image:
    return ImageOps.expand(picture.convert("RGB"), round(min(picture.size) * part), colour)


def _captioned(
    picture: Image.Image, part: float, at: float, band: Literal["opaque", "shade", "none"]
) -> Image.Image:
    """Write across this part of the height; `at` 0 is the top, 1 the bottom."""
    picture = picture.convert("RGB")
    high = max(1, round(picture.height * part))
    top = round((picture.height - high) * at)
    if band != "none":
        veil = Image.new("L", (picture.width, high), 255 if band == "opaque" else 128)
        picture.paste("black", (0, top), veil)
    font = ImageFont.load_default(max(1, round(0.7 * high)))
    middle = (picture.width / 2, top + high / 2)
    ImageDraw.Draw(picture).text(
        middle, _TEXT, "white", font, anchor="mm", stroke_width=high // 20, stroke_fill="black"
    )
    return picture


# By kind; the first of each is what the demo's web shows.
CHANGES: Final[Mapping[str, tuple[Change, ...]]] = {
    "recompressed": tuple(
        Change(f"JPEG of quality {quality}", Image.Image.copy, quality) for quality in (40, 60, 30)
    ),
    "resized": (
        Change("half as large", partial(_resized, part=1 / 2)),
        Change("a quarter as large", partial(_resized, part=1 / 4)),
    ),
    "cropped": (
        Change("65 %, top right", partial(_cropped, wide=0.8, high=0.81, left=1, top=0)),
        Change("80 %, middle", partial(_cropped, wide=0.9, high=0.89, left=0.5, top=0.5)),
        Change("60 %, left", partial(_cropped, wide=0.6, high=1, left=0, top=0)),
        Change("50 %, middle", partial(_cropped, wide=0.71, high=0.71, left=0.5, top=0.5)),
        Change("50 %, bottom right", partial(_cropped, wide=0.71, high=0.71, left=1, top=1)),
        Change("55 %, bottom", partial(_cropped, wide=1, high=0.55, left=0, top=1)),
    ),
    "grey": (Change("without colours", ImageOps.grayscale),),
    "recoloured": (
        Change("paler", partial(_coloured, degrees=0, bright=1, vivid=0.4)),
        Change("hue by 20°", partial(_coloured, degrees=20, bright=1, vivid=1)),
        Change("hue by -40°, brighter", partial(_coloured, degrees=-40, bright=1.2, vivid=1)),
        Change("a quarter brighter", partial(_coloured, degrees=0, bright=1.25, vivid=1.2)),
        Change("a third darker", partial(_coloured, degrees=0, bright=0.67, vivid=1)),
    ),
    "bordered": (
        Change("10 %, white", partial(_bordered, part=0.1, colour="white")),
        Change("5 %, black", partial(_bordered, part=0.05, colour="black")),
        Change("15 %, coloured", partial(_bordered, part=0.15, colour="darkgreen")),
    ),
    "captioned": (
        Change("15 % in a shade, bottom", partial(_captioned, part=0.15, at=1, band="shade")),
        Change("20 % in a bar, top", partial(_captioned, part=0.2, at=0, band="opaque")),
        Change("10 %, middle", partial(_captioned, part=0.1, at=0.5, band="none")),
    ),
    "mirrored": (Change("left to right", ImageOps.mirror),),
}
