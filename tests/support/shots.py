"""One press of the shutter, as cameras and phones keep it: RAW or HEIC, and the JPEG beside it."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass

import numpy as np
from PIL import Image

from batchscan.demo.raw import dng
from tests.support.photographs import encoded, photograph
from tests.support.pictures import with_preview

EXIF_DIRECTORY, TAKEN, FRACTION = 0x8769, 0x9003, 0x9291
_LONG, _ASCII = 4, 2


@dataclass(frozen=True)
class Shot:
    """What was in front of the camera, and when."""

    scene: Image.Image
    moment: str = "2026:11:01 10:00:00"
    fraction: str | None = "25"  # of the second; None where the camera does not write it

    @classmethod
    def of(cls, seed: int, size: tuple[int, int] = (600, 400), **when: str | None) -> Shot:
        """A shot of the scene of this seed."""
        return cls(photograph(seed, size), **when)  # type: ignore[arg-type]

    def jpeg(self) -> bytes:
        """As the camera develops it: brighter than rule `v1` allows."""
        return encoded(developed(self.scene), exif=self._exif(), quality=90)

    def heic(self) -> bytes:
        """As a phone keeps it."""
        import pillow_heif  # noqa: PLC0415 - an extra

        buffer = io.BytesIO()
        file = pillow_heif.from_pillow(self.scene)
        file.info["exif"] = self._exif().tobytes()
        file.save(buffer, quality=80)
        return buffer.getvalue()

    def raw(self, preview: bytes | None = None) -> bytes:
        """The sensor's data, with the camera's own JPEG in it where one is given."""
        plain = self._with_time(dng(self.scene))
        return plain if preview is None else with_preview(plain, preview)

    def _exif(self) -> Image.Exif:
        exif = Image.Exif()
        inner = exif.get_ifd(EXIF_DIRECTORY)
        inner[TAKEN] = self.moment
        if self.fraction is not None:
            inner[FRACTION] = self.fraction
        return exif

    def _with_time(self, raw: bytes) -> bytes:
        """The file with an EXIF directory, by a new first directory at its end."""
        raw += bytes(len(raw) % 2)
        texts = {TAKEN: self.moment}
        if self.fraction is not None:
            texts[FRACTION] = self.fraction
        inner, values = b"", b""
        begin = len(raw) + 2 + 12 * len(texts) + 4
        for tag, text in texts.items():
            data = text.encode() + b"\0"
            if len(data) > 4:
                place = struct.pack("<L", begin + len(values))
                values += data + bytes(len(data) % 2)
            else:
                place = data.ljust(4, b"\0")
            inner += struct.pack("<HHL", tag, _ASCII, len(data)) + place
        at = len(raw)
        raw += struct.pack("<H", len(texts)) + inner + bytes(4) + values
        (first,) = struct.unpack_from("<L", raw, 4)
        (count,) = struct.unpack_from("<H", raw, first)
        entries = [raw[first + 2 + 12 * n :][:12] for n in range(count)]
        entries.append(struct.pack("<HHLL", EXIF_DIRECTORY, _LONG, 1, at))
        entries.sort(key=lambda entry: struct.unpack_from("<H", entry))
        place = struct.pack("<L", len(raw))
        raw += struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
        return raw[:4] + place + raw[8:]


def developed(image: Image.Image) -> Image.Image:
    """Other tones, as a camera's own development gives them."""
    tones = [round(255 * (value / 255) ** 0.8) for value in range(256)]
    return image.point(tones * 3)


def next_frame(scene: Image.Image) -> Image.Image:
    """A quarter of a second later: something has moved on."""
    pixels = np.asarray(scene).copy()
    height, width = pixels.shape[:2]
    down, across, side = height // 3, width // 3, min(height, width) // 6
    moved = pixels[down : down + side, across : across + side].copy()
    pixels[down : down + side, across + side : across + 2 * side] = moved
    return Image.fromarray(pixels)
