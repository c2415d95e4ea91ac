"""Pictures by the thousand, for measuring."""

from __future__ import annotations

import io
import os
import random
from pathlib import Path

from PIL import Image

LEAVES = b"\xff\xfe"  # a JPEG comment: makes each file's bytes its own


def photograph(width: int, height: int, quality: int, seed: int = 0) -> bytes:
    """A baseline JPEG with the detail of a photograph: soft colours under fine noise."""
    chance = random.Random(seed)
    soft = Image.frombytes("RGB", (16, 12), chance.randbytes(16 * 12 * 3))
    soft = soft.resize((width, height), Image.Resampling.BICUBIC)
    grain = Image.effect_noise((width, height), 24).convert("RGB")
    buffer = io.BytesIO()
    Image.blend(soft, grain, 0.35).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def distinct(data: bytes, number: int) -> bytes:
    """The same JPEG with a comment that makes it another file."""
    comment = f"{number:012}".encode()
    return data[:2] + LEAVES + (len(comment) + 2).to_bytes(2, "big") + comment + data[2:]


def photographs(folder: Path, count: int, data: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (folder / f"{number:06}.jpg").write_bytes(distinct(data, number))


def stubs(folder: Path, count: int, per_folder: int) -> None:
    """Files with a picture's name and a few bytes: found, rejected once, unchanged ever after."""
    below = folder
    for number in range(count):
        if number % per_folder == 0:
            below = folder / f"{number // per_folder:05}"
            below.mkdir(parents=True)
        descriptor = os.open(f"{below}/{number:07}.jpg", os.O_WRONLY | os.O_CREAT, 0o644)
        os.write(descriptor, b"not a picture")
        os.close(descriptor)
