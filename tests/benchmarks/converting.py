"""What is sent of pictures: conversions and stripping, beside Pillow alone."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from batchscan.images import kinds
from batchscan.images.conversion.decode import decode
from batchscan.images.conversion.recipe import LONG_SIDE, QUALITY, to_jpeg
from batchscan.images.kinds import ImageFormat
from batchscan.images.metadata.strip import strip
from tests.benchmarks.material import photograph
from tests.benchmarks.measure import Row

WIDTH, HEIGHT = 4_000, 3_000  # 12 megapixels
RUNS = 3
FORMATS: tuple[tuple[ImageFormat, str, dict[str, Any], float], ...] = (
    (kinds.HEIC, "HEIF", {"quality": 80}, 1.0),
    (kinds.TIFF, "TIFF", {"compression": "tiff_lzw"}, 0.5),
    (kinds.AVIF, "AVIF", {"quality": 75, "speed": 8}, 0.5),
)


def converting(work: Path, scale: float) -> Iterator[Row]:
    """CPU seconds of converting one picture of 12 megapixels, and of stripping one."""
    import pillow_heif  # noqa: PLC0415 - an extra

    pillow_heif.register_heif_opener()
    jpeg = photograph(WIDTH, HEIGHT, 90)
    picture = Image.open(io.BytesIO(jpeg))
    picture.load()
    for kind, form, options, limit in FORMATS:
        out = io.BytesIO()
        picture.save(out, form, **options)
        data = out.getvalue()
        ours = cpu(partial(_ours, kind, data))
        alone = cpu(partial(_pillow, data))
        what = f"converting {kind.label}, 12 megapixels"
        note = f"Pillow alone, thumbnail() and save(): {alone:.2f} s"
        yield Row(what, "CPU", ours, limit, "s", note=note)
    noted = jpeg[:2] + b"\xff\xfe\x00\x0anothing!" + jpeg[2:]
    spent = cpu(lambda: strip(kinds.JPEG, noted))
    megabytes = len(noted) / 1e6
    yield Row(
        "taking the metadata out of a JPEG", "CPU a megabyte", spent / megabytes * 1e3, 5, "ms"
    )


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds of the quickest of some runs."""
    found = []
    for _ in range(RUNS):
        before = time.process_time()
        work()
        found.append(time.process_time() - before)
    return min(found)


def _ours(kind: ImageFormat, data: bytes) -> None:
    to_jpeg(decode(kind, io.BytesIO(data), lambda width, height: None))


def _pillow(data: bytes) -> None:
    opened = Image.open(io.BytesIO(data))
    opened.thumbnail((LONG_SIDE, LONG_SIDE))
    opened.convert("RGB").save(io.BytesIO(), "JPEG", quality=QUALITY)
