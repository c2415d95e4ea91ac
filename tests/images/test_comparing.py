"""Comparing files by their pixels, on real files: what is a version, and what was edited."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageFilter, ImageOps

from batchscan.images.comparing import Content, PixelComparer
from batchscan.images.decoding.pool import Decoders
from batchscan.images.judge import Judge
from batchscan.images.read import inspect
from batchscan.images.rules import Rules
from batchscan.model import Candidate
from batchscan.model import Image as Inspected
from batchscan.util.weighted_semaphore import WeightedSemaphore
from tests.support.photographs import encoded, photograph, resized
from tests.support.retouching import other_digits, removed, written

RULES = Rules(fingerprints=True, convert=True)


class Files:
    """Files in a folder, compared as a scan does."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        pixels = WeightedSemaphore(RULES.max_pixels)
        self._decoders = Decoders(pixels=pixels)
        self._judge = Judge(RULES, self._decoders, pixels)
        self._comparer = PixelComparer(self._judge, RULES, pixels, follow=False)

    def put(self, name: str, data: bytes) -> Content:
        path = self._folder / name
        path.write_bytes(data)
        candidate = Candidate(str(path), None)
        found = inspect(candidate, self._judge, RULES)
        assert isinstance(found, Inspected), found
        return Content((replace(candidate, inspected=replace(found, data=b"")),), found.sha256)

    def deviation(self, one: Content, other: Content) -> float:
        found = self._comparer.deviation(one, other)
        assert found == self._comparer.deviation(other, one), "the order does not matter"
        return found

    def close(self) -> None:
        self._decoders.close()


@pytest.fixture
def files(tmp_path: Path) -> Iterator[Files]:
    files = Files(tmp_path)
    yield files
    files.close()


def sharpened(image: Image.Image) -> Image.Image:
    """As WordPress does it with ImageMagick."""
    return image.filter(ImageFilter.UnsharpMask(0.6, 60, 0))


VERSIONS = {
    "as WordPress": lambda image: encoded(resized(image, 1024), quality=82),
    "sharpened": lambda image: encoded(sharpened(resized(image, 768)), quality=82),
    "300 pixels": lambda image: encoded(resized(image, 300), quality=82),
    "too large to be compared as it is": lambda image: encoded(resized(image, 1400), quality=82),
    "quality 60": lambda image: encoded(image, quality=60),
    "quality 75": lambda image: encoded(image, quality=75),
    "all colours": lambda image: encoded(image, quality=95, subsampling=0),
    "PNG": lambda image: encoded(resized(image, 640), "PNG"),
    "TIFF": lambda image: encoded(image, "TIFF"),
    "WebP": lambda image: encoded(image, "WEBP", quality=80),
    "small WebP": lambda image: encoded(resized(image, 640), "WEBP", quality=80),
    "AVIF": lambda image: encoded(resized(image, 900), "AVIF", quality=65),
}


@pytest.mark.parametrize(
    ("seed", "size"),
    [(202, (1600, 1200)), pytest.param(31, (2561, 1707), marks=pytest.mark.slow)],
)
def test_versions_of_a_photograph_are_within_the_limits(files, seed, size):
    original = photograph(seed, size)
    whole = files.put("a.jpg", encoded(original, quality=90))

    found = {
        name: files.deviation(whole, files.put(f"b{number}", make(original)))
        for number, (name, make) in enumerate(VERSIONS.items())
    }

    assert {name: far for name, far in found.items() if far > 1} == {}


EDITS = {
    "another digit": other_digits("16.95", "18.95", 0.03),
    "a date": written("2026-11-28", 0.03, (255, 255, 255), 0.5),
    "a pale mark": written("© 2026", 0.07, (255, 255, 255), 0.15),
    "a removed spot": removed(0.006),
}


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize(
    "form",
    [
        pytest.param("as WordPress", marks=pytest.mark.slow),
        "sharpened",
        pytest.param("quality 60", marks=pytest.mark.slow),
        pytest.param("PNG", marks=pytest.mark.slow),
        "AVIF",
    ],
)
def test_edits_of_a_photograph_are_beyond_the_limits(files, edit, form):
    one, other = EDITS[edit](photograph(202, (1600, 1200)))

    whole = files.put("a.jpg", encoded(one, quality=90))

    assert files.deviation(whole, files.put("b", VERSIONS[form](other))) > 1


@pytest.mark.parametrize("orientation", [pytest.param(3, marks=pytest.mark.slow), 6])
def test_pictures_are_compared_upright(files, orientation):
    original = photograph(32, (2562, 1921))  # of which one at half the size has partial pixels
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = files.put("stored.jpg", encoded(original, exif=exif, quality=90))
    copy = original.copy()
    copy.getexif()[0x0112] = orientation
    upright = ImageOps.exif_transpose(copy)

    for width in (upright.width, 900, 300):
        version = files.put("upright.jpg", encoded(resized(upright, width), quality=85))
        assert files.deviation(stored, version) <= 1, width


def test_a_file_that_is_not_what_it_was_is_no_version(files, tmp_path):
    original = photograph(33, (480, 360))
    whole = files.put("a.jpg", encoded(original, quality=92))
    small = files.put("b.jpg", encoded(resized(original, 300), quality=85))
    (tmp_path / "b.jpg").write_bytes(encoded(resized(original, 300), quality=86))

    assert files.deviation(whole, small) == math.inf

    (tmp_path / "b.jpg").unlink()
    assert files.deviation(whole, small) == math.inf


def test_a_content_is_found_in_another_place(files, tmp_path):
    original = photograph(33, (480, 360))
    whole = files.put("a.jpg", encoded(original, quality=92))
    small = files.put("b.jpg", encoded(resized(original, 300), quality=85))
    gone = Candidate(str(tmp_path / "gone.jpg"), None)

    assert files.deviation(whole, Content((gone, *small.places), small.sha256)) <= 1
