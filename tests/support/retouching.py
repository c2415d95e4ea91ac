"""What makes another picture of a picture, each change small: by hand, by a camera, by a program."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

Change: TypeAlias = Callable[[Image.Image], tuple[Image.Image, Image.Image]]
"""Makes two pictures of one that differ as its name says."""


def changed(change: Callable[[Image.Image], Image.Image]) -> Change:
    """The picture itself, and the changed one."""
    return lambda image: (image, change(image))


def _place(image: Image.Image, share: float, seed: int) -> tuple[int, int, int, int]:
    """A box that takes so much of the area, somewhere."""
    turns = random.Random(seed)
    width, height = (max(4, round(side * math.sqrt(share))) for side in image.size)
    left, top = turns.randrange(image.width - width), turns.randrange(image.height - height)
    return left, top, left + width, top + height


def patch(share: float) -> Change:
    """Something covers a part, in a colour of its own."""

    def change(image: Image.Image) -> Image.Image:
        marked = image.copy()
        left, top, right, bottom = _place(image, share, 3)
        mean = np.asarray(image.crop((left, top, right, bottom))).mean()
        marked.paste((25, 30, 28) if mean > 110 else (225, 220, 200), (left, top, right, bottom))
        return marked

    return changed(change)


def clone(share: float) -> Change:
    """A part of the picture stands in another place, too."""

    def change(image: Image.Image) -> Image.Image:
        marked = image.copy()
        source, goal = _place(image, share, 5), _place(image, share, 6)
        marked.paste(image.crop(source), goal[:2])
        return marked

    return changed(change)


def written(text: str, share: float, colour: tuple[int, int, int], strength: float = 1) -> Change:
    """Type of `share` of the height across a corner."""

    def change(image: Image.Image) -> Image.Image:
        mask = Image.new("L", image.size)
        size = max(9, round(image.height * share))
        place = (image.width // 12, image.height - size * 2)
        font = ImageFont.load_default(size)
        ImageDraw.Draw(mask).text(place, text, round(255 * strength), font=font)
        return Image.composite(Image.new("RGB", image.size, colour), image, mask)

    return changed(change)


def other_digits(one: str, other: str, share: float) -> Change:
    """Both have the same label, with other digits on it."""

    def change(image: Image.Image) -> tuple[Image.Image, Image.Image]:
        return tuple(_label(image, text, share) for text in (one, other))  # type: ignore[return-value]

    return change


def _label(image: Image.Image, text: str, share: float) -> Image.Image:
    marked = image.copy()
    draw, height = ImageDraw.Draw(marked), max(12, round(image.height * share))
    left, top = image.width // 10, image.height // 10
    draw.rectangle((left, top, left + 3 * height, top + height), fill="white", outline="black")
    font = ImageFont.load_default(height * 2 // 3)
    draw.text((left + height // 5, top + height // 8), text, fill="black", font=font)
    return marked


def moved(share: float, step: float) -> Change:
    """Something has moved by a part of the width: consecutive frames."""

    def change(image: Image.Image) -> tuple[Image.Image, Image.Image]:
        left, top, right, bottom = _place(image, share, 7)
        frames = []
        for way in (0, round(image.width * step)):
            frame = image.copy()
            box = (left + way, top, right + way, bottom)
            ImageDraw.Draw(frame).ellipse(box, fill=(40, 32, 28))
            frames.append(frame)
        return frames[0], frames[1]

    return change


def cut(share: float) -> Change:
    """The edges are gone, and what is left is as large as before."""

    def change(image: Image.Image) -> Image.Image:
        x, y = image.width * share / 2, image.height * share / 2
        box = (round(x), round(y), round(image.width - x), round(image.height - y))
        return image.crop(box).resize(image.size, Image.Resampling.LANCZOS)

    return changed(change)


def hand_held(image: Image.Image) -> tuple[Image.Image, Image.Image]:
    """The camera has moved a little: frames of a burst."""
    turn = (1, 0.002, image.width * 0.004, -0.002, 1, image.height * 0.004)
    moved = image.transform(image.size, Image.Transform.AFFINE, turn, Image.Resampling.BICUBIC)
    return image, moved


def hue(by: int) -> Change:
    """All colours turned by so many of 256 steps."""

    def change(image: Image.Image) -> Image.Image:
        turned, saturation, value = image.convert("HSV").split()
        turned = turned.point([(step + by) % 256 for step in range(256)])
        return Image.merge("HSV", (turned, saturation, value)).convert("RGB")

    return changed(change)


def recoloured(image: Image.Image) -> tuple[Image.Image, Image.Image]:
    """The same thing in another colour."""
    red, green, blue = image.split()
    return image, Image.merge("RGB", (blue, red, green))


def removed(share: float) -> Change:
    """A part is painted over with what is around it."""

    def change(image: Image.Image) -> Image.Image:
        mask = Image.new("L", image.size)
        box = _sharpest(image, share)
        ImageDraw.Draw(mask).ellipse(box, fill=255)
        blurred = image.filter(ImageFilter.GaussianBlur((box[2] - box[0]) / 3))
        return Image.composite(blurred, image, mask)

    return changed(change)


def _sharpest(image: Image.Image, share: float) -> tuple[int, int, int, int]:
    """The place of that size where there is most to see."""
    grey = image.convert("L")

    def detail(box: tuple[int, int, int, int]) -> float:
        return float(np.asarray(grey.crop(box), np.float64).std())

    return max((_place(image, share, seed) for seed in range(12)), key=detail)


def _framed(image: Image.Image) -> Image.Image:
    framed = image.copy()
    edge = (0, 0, image.width - 1, image.height - 1)
    ImageDraw.Draw(framed).rectangle(edge, outline="black", width=max(2, image.width // 100))
    return framed


CHANGES: dict[str, Change] = {
    "a patch of 0.5 %": patch(0.005),
    "a patch of 1 %": patch(0.01),
    "a patch of 5 %": patch(0.05),
    "a part twice": clone(0.02),
    "a watermark": written("© Studio 2026", 0.07, (255, 255, 255), 0.6),
    "a logo": written("brandish", 0.09, (200, 20, 20)),
    "a date": written("'26 11 28", 0.04, (255, 150, 30)),
    "another digit in a price": other_digits("9.99", "9.49", 0.1),
    "another digit in a small price": other_digits("16.95", "18.95", 0.06),
    "something small that moved": moved(0.01, 0.02),
    "something large that moved": moved(0.04, 0.01),
    "a hand-held burst": hand_held,
    "a crop of 2 %": cut(0.02),
    "a crop of 10 %": cut(0.1),
    "a removed spot": removed(0.01),
    "a removed thing": removed(0.03),
    "a gamma of 1.4": changed(
        lambda image: image.point([round(255 * (v / 255) ** (1 / 1.4)) for v in range(256)] * 3)
    ),
    "a brighter exposure": changed(lambda image: ImageEnhance.Brightness(image).enhance(1.25)),
    "a darker exposure": changed(lambda image: ImageEnhance.Brightness(image).enhance(0.78)),
    "a turned hue": hue(24),
    "another colour": recoloured,
    "stronger colours": changed(lambda image: ImageEnhance.Color(image).enhance(1.8)),
    "shifted by 1 %": changed(lambda image: ImageChops.offset(image, image.width // 100, 0)),
    "mirrored": changed(ImageOps.mirror),
    "a frame": changed(_framed),
}
