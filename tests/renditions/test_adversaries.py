"""Pictures that differ in little are pictures of their own, at any size; versions are versions."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from PIL import Image, ImageFilter

from batchscan.images.judge import Judge
from batchscan.images.rules import Accepted, Rules
from batchscan.rendition_types import Fingerprint
from batchscan.renditions.rule import likeness
from tests.support.drawn import DRAWN
from tests.support.photographs import encoded, photograph, resized
from tests.support.retouching import CHANGES

SMALLER = 300


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    judge = Judge(Rules(fingerprints=True))
    yield judge
    judge.close()


def seen(judge: Judge, data: bytes) -> Fingerprint:
    verdict = judge.judge(data, "a")
    assert isinstance(verdict, Accepted), verdict
    assert verdict.fingerprint is not None
    return verdict.fingerprint


def merged(judge: Judge, one: Image.Image, other: Image.Image) -> list[str]:
    """In which forms the rule takes two pictures for one."""
    whole = seen(judge, encoded(one, quality=92))
    forms = {
        "as large": encoded(other, quality=92),
        "smaller": encoded(resized(other, max(SMALLER, round(other.width * 0.6))), quality=85),
        "PNG": encoded(resized(other, SMALLER), "PNG"),
    }
    return [name for name, data in forms.items() if likeness(whole, seen(judge, data)).same]


@pytest.fixture(scope="module")
def scene() -> Image.Image:
    return photograph(21, (480, 360))


def slow_but(names: Iterable[str], default: tuple[str, ...]) -> list[Any]:
    """All of them as parameters, slow ones but for a few."""
    slow = pytest.mark.slow
    return [each if each in default else pytest.param(each, marks=slow) for each in names]


LEAST = ("a patch of 0.5 %", "a date", "another digit in a small price", "a removed spot")


@pytest.mark.parametrize(
    "change", slow_but(CHANGES, (*LEAST, "a watermark", "a hand-held burst", "a crop of 2 %"))
)
def test_a_changed_photograph_is_another_picture(judge, scene, change):
    assert merged(judge, *CHANGES[change](scene)) == []


@pytest.mark.slow
@pytest.mark.parametrize("size", [(200, 150), (1000, 750)])
def test_changed_photographs_are_other_pictures_at_any_size(judge, size):
    original = photograph(22, size)

    found = {name: merged(judge, *change(original)) for name, change in CHANGES.items()}

    assert {name: forms for name, forms in found.items() if forms} == {}


@pytest.mark.slow
@pytest.mark.parametrize("change", LEAST)
def test_the_least_changes_of_a_large_photograph_are_seen(judge, change):
    one, other = CHANGES[change](photograph(23, (4000, 3000)))
    whole = seen(judge, encoded(one, quality=92))

    for width in (4000, 2048, 600):
        assert not likeness(whole, seen(judge, encoded(resized(other, width)))).same, width


@pytest.mark.parametrize("drawn", slow_but(DRAWN, ("spreadsheet", "window", "brand")))
def test_a_drawn_thing_with_another_detail_is_another_picture(judge, drawn):
    assert merged(judge, DRAWN[drawn](0), DRAWN[drawn](1)) == []


def sharpened(image: Image.Image) -> Image.Image:
    return image.filter(ImageFilter.UnsharpMask(0.8, 60, 0))


VERSIONS: dict[str, Callable[[Image.Image], bytes]] = {
    "quality 45": lambda image: encoded(image, quality=45),
    "three quarters": lambda image: encoded(resized(image, image.width * 3 // 4), quality=80),
    "half": lambda image: encoded(resized(image, image.width // 2), quality=82),
    "bilinear": lambda image: encoded(image.resize(half(image), Image.Resampling.BILINEAR)),
    "sharpened": lambda image: encoded(sharpened(resized(image, image.width // 2)), quality=82),
    "WebP": lambda image: encoded(image, "WEBP", quality=75),
    "PNG": lambda image: encoded(resized(image, image.width * 2 // 3), "PNG"),
    "progressive": lambda image: encoded(image, progressive=True, quality=80),
    "twice": lambda image: encoded(reopened(encoded(image, quality=70)), quality=70),
    "all colours": lambda image: encoded(image, quality=80, subsampling=0),
}


def half(image: Image.Image) -> tuple[int, int]:
    return image.width // 2, image.height // 2


def reopened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize(
    ("seed", "size"),
    [(24, (640, 480)), *(pytest.param(seed, size, marks=pytest.mark.slow)
                         for seed, size in ((25, (1000, 750)), (26, (2560, 1920))))],
)  # fmt: skip
def test_versions_of_a_photograph_are_one_picture(judge, seed, size):
    original = photograph(seed, size)
    whole = seen(judge, encoded(original, quality=92))

    found = {name: likeness(whole, seen(judge, make(original))) for name, make in VERSIONS.items()}

    assert {name: how for name, how in found.items() if not how.same} == {}
