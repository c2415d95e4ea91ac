"""Comparing files closely, on real files: what is a version, and what was edited."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from batchscan.images.comparing import CloseComparer, Content
from batchscan.images.decoding.pool import Decoders
from batchscan.images.judge import Judge
from batchscan.images.read import inspect
from batchscan.images.rules import Rules
from batchscan.model import Candidate
from batchscan.model import Image as Inspected
from batchscan.util.weighted_semaphore import WeightedSemaphore
from tests.support.photographs import encoded, photograph, resized
from tests.support.retouching import written

RULES = Rules(fingerprints=True, convert=True)


class Files:
    """Files in a folder, compared as a scan does."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        pixels = WeightedSemaphore(RULES.max_pixels)
        self._decoders = Decoders(pixels=pixels)
        self._judge = Judge(RULES, self._decoders, pixels)
        self._comparer = CloseComparer(self._judge, self._decoders, RULES, pixels, follow=False)

    def put(self, name: str, data: bytes) -> Content:
        path = self._folder / name
        path.write_bytes(data)
        candidate = Candidate(str(path), None)
        found = inspect(candidate, self._judge, RULES)
        assert isinstance(found, Inspected), found
        return Content((candidate,), found.sha256)

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


def turned(image: Image.Image, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(image, exif=exif, quality=90)


def test_versions_are_within_the_limits_and_edits_are_not(files):
    original = photograph(31, (601, 447))  # blocks reach beyond its edges
    whole = files.put("a.jpg", encoded(original, quality=92))
    versions = {
        "small.jpg": encoded(resized(original, 300), quality=82),
        "low.jpg": encoded(original, quality=30),
        "a.png": encoded(original, "PNG"),
        "a.tif": encoded(original, "TIFF"),
    }
    _, marked = written("© 2026", 0.07, (255, 255, 255), 0.12)(original)
    edited = {
        "marked.jpg": encoded(marked, quality=92),
        "marked-small.jpg": encoded(resized(marked, 400), quality=82),
        "marked.png": encoded(marked, "PNG"),
        "marked.tif": encoded(marked, "TIFF"),
    }

    found = {
        name: files.deviation(whole, files.put(name, data))
        for name, data in {**versions, **edited}.items()
    }

    assert {name for name, far in found.items() if far <= 1} == set(versions), found


@pytest.mark.parametrize("orientation", [3, 6])
def test_pictures_are_compared_upright(files, orientation):
    original = photograph(32, (480, 360))
    data = turned(original, orientation)
    stored = files.put("stored.jpg", data)
    upright = ImageOps.exif_transpose(original_with(original, orientation))

    for width in (upright.width, upright.width * 3 // 4):
        version = files.put("upright.jpg", encoded(resized(upright, width), quality=85))
        assert files.deviation(stored, version) <= 1, width


def original_with(image: Image.Image, orientation: int) -> Image.Image:
    """A copy that says how it is to be turned."""
    copy = image.copy()
    copy.getexif()[0x0112] = orientation
    return copy


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
