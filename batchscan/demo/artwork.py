"""Made-up pictures: the same seed gives the same picture, and no two look alike."""

from __future__ import annotations

import io
import random
from typing import Any

from PIL import Image, ImageDraw

FIELDS = 5  # a picture's colour field is blown up from so many by so many pixels


def artwork(seed: int, width: int = 480, height: int = 320) -> Image.Image:
    """A colour field with some shapes on it."""
    chance = random.Random(seed)  # noqa: S311 - art, not secrets
    field = Image.frombytes("RGB", (FIELDS, FIELDS), chance.randbytes(3 * FIELDS * FIELDS))
    picture = field.resize((width, height), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(picture)
    for _ in range(chance.randint(4, 7)):
        colour = tuple(chance.randbytes(3))
        left, top = chance.randrange(width), chance.randrange(height)
        size = chance.randrange(height // 8, height // 2)
        box = (left - size, top - size // 2, left + size // 2, top + size)
        shape = chance.choice((draw.ellipse, draw.rectangle))
        shape(box, fill=colour, outline="white", width=3)
    return picture


def encoded(picture: Image.Image, form: str, **options: Any) -> bytes:  # noqa: ANN401 - Pillow's
    """The picture's file, in one of Pillow's formats."""
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()
