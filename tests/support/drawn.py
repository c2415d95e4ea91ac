"""Things that are drawn or typed, each with one detail that may be another one."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont


def receipt(detail: int) -> Image.Image:
    """A photographed receipt; one price ends in another digit."""
    turns, page = random.Random(1), Image.new("RGB", (600, 1000), (242, 239, 231))
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(22)
    for line in range(24):
        price = f"{turns.randrange(20)}.{turns.randrange(10)}{(3, 8)[detail] if line == 9 else 5}"
        draw.text((40, 60 + 36 * line), f"article {turns.randrange(10**4)}", (60, 58, 55), font)
        draw.text((460, 60 + 36 * line), price, (60, 58, 55), font)
    grain = np.random.default_rng(1).normal(0, 3, (1000, 600, 1))
    noisy = np.clip(np.asarray(page, np.float64) + grain, 0, 255).astype(np.uint8)
    return Image.fromarray(noisy).filter(ImageFilter.GaussianBlur(0.6))


def spreadsheet(detail: int) -> Image.Image:
    """A window full of numbers, one of which is another one."""
    turns, sheet = random.Random(2), Image.new("RGB", (1200, 760), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(17)
    for row in range(26):
        draw.line((0, 29 * row, 1200, 29 * row), "#cccccc")
        for column in range(10):
            number = turns.randrange(10**5) + (333 if (row, column) == (8, 4) and detail else 0)
            draw.text((120 * column + 6, 29 * row + 5), str(number), "black", font)
    return sheet


def window(detail: int) -> Image.Image:
    """A screenshot; one counter differs."""
    turns, shot = random.Random(3), Image.new("RGB", (1280, 800), "#f4f4f6")
    draw, font = ImageDraw.Draw(shot), ImageFont.load_default(18)
    draw.rectangle((0, 0, 1280, 52), fill="#2b2d42")
    draw.rectangle((0, 52, 260, 800), fill="#e2e4ea")
    for line in range(17):
        count = turns.randrange(10**6) + (3_000 if line == 6 and detail else 0)
        draw.text((24, 76 + 42 * line), f"entry {turns.randrange(10**6)}", "#333333", font)
        draw.text((300, 76 + 42 * line), f"{count} of {turns.randrange(10**6)}", "#555555", font)
    return shot


def squares(detail: int) -> Image.Image:
    """A QR code's squares, of which some are others."""
    bits = np.random.default_rng(4).integers(0, 2, (33, 33))
    bits[14:17, 12:16] ^= detail
    code = np.pad(bits * 255, 4, constant_values=255).astype(np.uint8)
    return Image.fromarray(code).resize((615, 615), Image.Resampling.NEAREST).convert("RGB")


def bars(detail: int) -> Image.Image:
    """A bar code of which two bars are wider."""
    turns, code = random.Random(5), Image.new("RGB", (800, 420), "white")
    draw, x = ImageDraw.Draw(code), 50
    for bar in range(48):
        width = 3 * turns.randint(1, 4) + (3 if detail and bar in (20, 21) else 0)
        draw.rectangle((x, 30, x + width, 390), fill="black")
        x += width + 3 * turns.randint(1, 2)
    return code


def street_map(detail: int) -> Image.Image:
    """A map on which one street has another name."""
    turns, sheet = random.Random(6), Image.new("RGB", (1000, 800), "#e8efdc")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(20)
    for _ in range(45):
        way = [(turns.randrange(1000), turns.randrange(800)) for _ in range(3)]
        draw.line(way, turns.choice(("#ffffff", "#ffd27f", "#bbbbbb")), turns.choice((3, 5, 9)))
    for name in range(30):
        text = "Mill Road" if name != 7 or not detail else "Lake Lane"
        draw.text((turns.randrange(900), turns.randrange(760)), text, "#444444", font)
    return sheet


def line_drawing(detail: int) -> Image.Image:
    """A drawing in ink; one circle is an ellipse."""
    turns, sheet = random.Random(7), Image.new("RGB", (900, 700), "white")
    draw = ImageDraw.Draw(sheet)
    for shape in range(26):
        x, y, size = turns.randrange(800), turns.randrange(600), turns.randrange(30, 240)
        flat = size * 7 // 10 if shape == 11 and detail else size
        draw.ellipse((x, y, x + size, y + flat), outline="black", width=3)
    return sheet


def night(detail: int) -> Image.Image:
    """Stars; a bright one is missing."""
    turns = np.random.default_rng(8)
    sky = np.linspace(14, 40, 600)[:, None] + np.zeros((600, 900))
    for star in range(400):
        y, x, light = turns.integers(0, 596), turns.integers(0, 896), turns.integers(70, 255)
        if star != 3 or not detail:
            sky[y : y + 3, x : x + 3] = light if star != 3 else 255
    noisy = np.clip(sky + turns.normal(0, 3, sky.shape), 0, 255).astype(np.uint8)
    return Image.fromarray(noisy).convert("RGB").filter(ImageFilter.GaussianBlur(0.7))


def brand(detail: int) -> Image.Image:
    """A logo on white, of another size in its name."""
    mark = Image.new("RGB", (700, 700), "white")
    draw = ImageDraw.Draw(mark)
    draw.ellipse((210, 150, 490, 430), fill="#0a3d62")
    draw.text(
        (180, 460), ("BRAND 250 ml", "BRAND 350 ml")[detail], "#222222", ImageFont.load_default(56)
    )
    return mark


def icon(detail: int) -> Image.Image:
    """An icon with or without a badge."""
    face = Image.new("RGB", (512, 512), "#fafafa")
    draw = ImageDraw.Draw(face)
    draw.rounded_rectangle((40, 40, 472, 472), 80, fill="#2a9d8f")
    for left, top, size in ((130, 120, 110), (290, 160, 70), (160, 300, 150)):
        draw.rectangle((left, top, left + size, top + size), fill="white")
    if detail:
        draw.ellipse((410, 60, 450, 100), fill="#e63946")
    return face


DRAWN: dict[str, Callable[[int], Image.Image]] = {
    each.__name__: each
    for each in (receipt, spreadsheet, window, squares, bars, street_map, line_drawing, night,
                 brand, icon)
}  # fmt: skip
