"""Pictures that look like photographs, made on the spot, and what people make of them.

Smooth light, round things with edges and shadows, texture and grain: what a perceptual hash is
made for, where mere noise or flat colours are not. The same seed gives the same picture.
"""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

SIZE = (1200, 900)


def photograph(seed: int, size: tuple[int, int] = SIZE) -> Image.Image:
    """A scene of its own for each seed."""
    return _scene(seed, size).copy()


@lru_cache(maxsize=16)  # a few are asked for again and again
def _scene(seed: int, size: tuple[int, int]) -> Image.Image:
    random = np.random.default_rng(seed)
    small = (400, round(400 * size[1] / size[0]))
    down, across = np.mgrid[0 : small[1], 0 : small[0]] / small[0]
    pixels = np.zeros((small[1], small[0], 3))
    for channel in range(3):  # light that falls off, and low waves: sky, walls, ground
        slope = random.uniform(-120, 120, 2)
        pixels[..., channel] = random.uniform(60, 190) + slope[0] * across + slope[1] * down
        for _ in range(3):
            waves, phase = random.uniform(1, 7, 2), random.uniform(0, 6.3)
            pixels[..., channel] += 22 * np.sin(waves[0] * across * 6 + waves[1] * down * 6 + phase)
    for _ in range(14):  # things: round or square, shaded, each of one colour
        middle, extent = random.uniform(0, 1, 2), random.uniform(0.04, 0.22, 2)
        place = np.array((middle[0], middle[1] * small[1] / small[0]))
        first = np.maximum((place - extent) * small[0] - 1, 0).astype(int)
        last = np.ceil((place + extent) * small[0] + 1).astype(int)
        there = (slice(first[1], last[1]), slice(first[0], last[0]))
        x = (across[there] - place[0]) / extent[0]
        y = (down[there] - place[1]) / extent[1]
        reach = np.maximum(abs(x), abs(y)) if random.random() < 0.4 else np.hypot(x, y)
        inside = np.clip((1 - reach) * 12, 0, 1)[..., None]
        shade = random.uniform(40, 215) + random.uniform(-35, 35, 3)  # few things are garish
        colour = shade * (0.75 + 0.25 * np.clip(1 - y, 0, 1.4))[..., None]
        pixels[there] = pixels[there] * (1 - inside) + colour * inside
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    image = image.resize(size, Image.Resampling.BICUBIC)
    image = image.filter(ImageFilter.GaussianBlur(max(size) / 400))  # as a lens does
    grain = np.random.default_rng(seed + 1).normal(0, 4, (size[1], size[0], 1))
    grainy = np.asarray(image) + grain
    return Image.fromarray(np.clip(grainy, 0, 255, out=grainy).astype(np.uint8))


def resized(image: Image.Image, width: int) -> Image.Image:
    """As WordPress makes them: the same shape, rounded to whole pixels."""
    height = round(image.height * width / image.width)
    return image.resize((width, height), Image.Resampling.LANCZOS)


def encoded(image: Image.Image, form: str = "JPEG", **options: Any) -> bytes:
    """A file's bytes."""
    if form == "JPEG":
        options.setdefault("quality", 88)
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def with_label(image: Image.Image, text: str) -> Image.Image:
    """A product shot with a price on it: 3 % of the picture."""
    marked = image.copy()
    width, height = image.width // 5, image.height // 7
    place = (image.width // 10, image.height // 10)
    draw = ImageDraw.Draw(marked)
    draw.rectangle((*place, place[0] + width, place[1] + height), fill="white", outline="black")
    font = ImageFont.load_default(height * 2 // 3)
    draw.text((place[0] + width // 12, place[1] + height // 12), text, fill="black", font=font)
    return marked


def text_page(seed: int, size: tuple[int, int] = (1240, 1754)) -> Image.Image:
    """A scanned page of type."""
    random = np.random.default_rng(seed)
    page = Image.new("L", size, 248)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(22)
    words = ["".join(chr(97 + letter) for letter in random.integers(0, 26, length))
             for length in random.integers(2, 11, 700)]  # fmt: skip
    for line in range((size[1] - 240) // 34):
        text = " ".join(words[line * 12 : line * 12 + 12])[:90]
        draw.text((120, 120 + 34 * line), text, fill=30, font=font)
    return page.filter(ImageFilter.GaussianBlur(0.6))


def screenshot(seed: int, size: tuple[int, int] = (1440, 900)) -> Image.Image:
    """A window with a bar, a list and a form; only what is written in it is the seed's own."""
    screen = Image.new("RGB", size, "#f4f4f6")
    draw, font = ImageDraw.Draw(screen), ImageFont.load_default(18)
    draw.rectangle((0, 0, size[0], 56), fill="#2b2d42")
    draw.rectangle((0, 56, 280, size[1]), fill="#e2e4ea")
    random = np.random.default_rng(seed)
    for line in range(18):
        draw.text((24, 80 + 44 * line), f"entry {random.integers(10**9)}", "#333", font=font)
        draw.text((330, 80 + 44 * line), f"{random.integers(10**9)} of {seed}", "#555", font=font)
    draw.rectangle((330, 860, 470, 892), fill="#3a86ff")
    return screen


def logo(seed: int, size: tuple[int, int] = (512, 512)) -> Image.Image:
    """A few shapes on white; all logos have a ring."""
    mark = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(mark)
    draw.ellipse((60, 60, 452, 452), outline="#0a3d62", width=28)
    random = np.random.default_rng(seed)
    corners = [tuple(point) for point in random.integers(140, 372, (5, 2)).tolist()]
    draw.polygon(corners, fill="#e55039")
    draw.text((170, 380), f"BRAND {seed}", "#0a3d62", font=ImageFont.load_default(36))
    return mark


def frame(seed: int, step: int, size: tuple[int, int] = SIZE) -> Image.Image:
    """One of a burst: the camera stands still, and something crosses the scene."""
    scene = photograph(seed, size)
    draw = ImageDraw.Draw(scene)
    left, top = size[0] * (20 + 4 * step) // 100, size[1] * 45 // 100
    draw.ellipse((left, top, left + size[0] // 12, top + size[1] // 5), fill=(40, 32, 28))
    return scene
