"""Rule v1 on real files, judged as in a scan: what is one picture, and what never is."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from batchscan.images.judge import Judge
from batchscan.images.rules import Accepted, Rules
from batchscan.rendition_types import Fingerprint
from batchscan.renditions.rule import likeness, same_shape
from tests.support import photographs
from tests.support.photographs import encoded, photograph, resized

TURNS = [Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270]


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    judge = Judge(Rules(fingerprints=True))
    yield judge
    judge.close()


def fingerprint(judge: Judge, data: bytes, name: str = "a.jpg") -> Fingerprint | None:
    verdict = judge.judge(data, name)
    assert isinstance(verdict, Accepted), verdict
    return verdict.fingerprint


def merged(one: Fingerprint | None, other: Fingerprint | None) -> bool:
    """What the rule says of two files."""
    if one is None or other is None:
        return False
    found = likeness(one, other)
    assert found == likeness(other, one), "the order does not matter"
    return found.same


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))]
)
def test_sizes_qualities_and_formats_are_one_picture(judge, seed):
    original = photograph(seed, (1000, 750))
    whole = fingerprint(judge, encoded(original, quality=95))
    versions = {f"{width} pixels": encoded(resized(original, width)) for width in (768, 300, 150)}
    versions |= {
        "quality 30": encoded(original, quality=30),
        "quality 60": encoded(resized(original, 500), quality=60),
        "WebP": encoded(resized(original, 800), "WEBP", quality=80),
        "PNG": encoded(resized(original, 640), "PNG"),
        "BMP": encoded(resized(original, 400), "BMP"),
        "progressive": encoded(original, progressive=True),
        "gamma": encoded(
            original.point([round(255 * (v / 255) ** (1 / 1.15)) for v in range(256)] * 3)
        ),
    }

    found = {name: merged(whole, fingerprint(judge, data, "a")) for name, data in versions.items()}

    # A brighter one may have moved too far; of the smallest JPEGs the colours of edges are smeared.
    assert {name for name, same in found.items() if not same} <= {"gamma", "150 pixels"}


@pytest.mark.parametrize(
    "orientation", [6, *(pytest.param(way, marks=pytest.mark.slow) for way in (2, 3, 4, 5, 7, 8))]
)
def test_the_orientation_of_the_file_is_applied(judge, orientation):
    original = photograph(1, (900, 600))
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = encoded(original, exif=exif)
    upright = encoded(ImageOps.exif_transpose(Image.open(io.BytesIO(turned))))

    assert merged(fingerprint(judge, turned), fingerprint(judge, upright))
    assert not merged(fingerprint(judge, turned), fingerprint(judge, encoded(original)))


def test_sixteen_bits_and_four_inks_are_the_picture_or_asked_about(judge):
    original = photograph(2, (900, 700))
    grey = original.convert("L")
    deep = Image.fromarray(np.asarray(grey, np.uint16) * 257)

    assert merged(
        fingerprint(judge, encoded(grey)), fingerprint(judge, encoded(deep, "PNG"), "a.png")
    )
    inks = fingerprint(judge, encoded(original.convert("CMYK"), quality=95))
    assert merged(inks, fingerprint(judge, encoded(original)))
    assert not merged(fingerprint(judge, encoded(deep, "PNG"), "a.png"), inks), "grey is not colour"


@pytest.mark.slow
def test_transparency_is_compared_on_white(judge):
    cut = photograph(3, (800, 800)).convert("RGBA")
    mask = (
        Image.radial_gradient("L").resize(cut.size).point(lambda value: 255 if value < 120 else 0)
    )
    cut.putalpha(mask)
    white = Image.new("RGB", cut.size, "white")
    white.paste(cut, mask=mask)
    black = Image.new("RGB", cut.size)
    black.paste(cut, mask=mask)

    found = fingerprint(judge, encoded(cut, "PNG"), "a.png")

    assert merged(found, fingerprint(judge, encoded(white)))
    assert not merged(found, fingerprint(judge, encoded(black)))


def test_what_is_another_picture_is_never_merged(judge):
    original = photograph(4, (800, 600))
    tall = photograph(4, (600, 600))
    width, height = original.size
    others = {
        "a price": photographs.with_label(original, "9.99"),
        "another price": photographs.with_label(original, "8.49"),
        "mirrored": ImageOps.mirror(original),
        "upside down": ImageOps.flip(original),
        "cropped": original.crop((width // 20, height // 20, width - width // 20, height)),
        "grey": original.convert("L"),
        "another": photograph(5, (800, 600)),
        "brighter": ImageEnhance.Brightness(original).enhance(1.3),
        "negative": ImageOps.invert(original),
    }
    others |= {f"turned {turn}": original.transpose(turn) for turn in TURNS}
    found = {name: fingerprint(judge, encoded(image)) for name, image in others.items()}
    whole = fingerprint(judge, encoded(original))

    assert {name for name, other in found.items() if merged(whole, other)} == set()
    assert {
        pair for pair in itertools.combinations(found, 2) if merged(found[pair[0]], found[pair[1]])
    } == set()
    square = fingerprint(judge, encoded(tall))
    assert {turn for turn in TURNS
            if merged(square, fingerprint(judge, encoded(tall.transpose(turn))))} == set()  # fmt: skip


FAMILIES = {
    "burst": lambda n: photographs.frame(6, n),
    "product": lambda n: photographs.with_label(photograph(7), f"{n}7.9{n}"),
    "page": photographs.text_page,
    "screenshot": photographs.screenshot,
    "logo": photographs.logo,
}


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_members_of_a_family_are_pictures_of_their_own(judge, family):
    found = [fingerprint(judge, encoded(FAMILIES[family](n))) for n in range(4)]

    assert [pair for pair in itertools.combinations(found, 2) if merged(*pair)] == []


TONES = {
    "gamma": lambda value: [round(255 * (v / 255) ** (1 / value)) for v in range(256)] * 3,
    "white balance": lambda value: [
        min(255, round(v * by)) for by in (value, 1, 2 - value) for v in range(256)
    ],
    "exposure": lambda value: [min(255, round(v * value)) for v in range(256)] * 3,
}


@pytest.mark.parametrize("tone", TONES)
@pytest.mark.parametrize("seed", [11, 12])
def test_another_tone_of_the_whole_is_another_picture(judge, tone, seed):
    original = photograph(seed, (480, 360))
    whole = fingerprint(judge, encoded(original, quality=92))
    changed = [original.point(TONES[tone](value)) for value in (0.9, 1.1)]

    for other in (*changed, *(resized(each, 300) for each in changed)):
        assert not merged(whole, fingerprint(judge, encoded(other, quality=85)))
    assert merged(whole, fingerprint(judge, encoded(resized(original, 400), quality=85)))


def test_blank_and_flat_ones_are_never_compared(judge):
    white, black = Image.new("RGB", (640, 480), "white"), Image.new("RGB", (640, 480))
    flat = [encoded(image) for image in (white, white.resize((320, 240)), black)]
    nothing = encoded(Image.new("RGBA", (640, 480), (9, 9, 9, 0)), "PNG")
    found = [fingerprint(judge, data, "a") for data in (*flat, *flat, nothing, nothing)]

    assert [pair for pair in itertools.combinations(found, 2) if merged(*pair)] == []


@pytest.mark.parametrize(
    "form", ["GIF", *(pytest.param(form, marks=pytest.mark.slow) for form in ("PNG", "WEBP"))]
)
def test_animated_ones_have_no_fingerprint(judge, form):
    frames = [photographs.frame(8, n, (300, 200)) for n in range(3)]
    moving = encoded(frames[0], form, save_all=True, append_images=frames[1:])

    assert fingerprint(judge, moving, "a") is None
    assert fingerprint(Judge(Rules("fast", fingerprints=True)), moving, "a") is None
    assert fingerprint(judge, encoded(frames[0], form), "a") is not None


@pytest.mark.parametrize("size", [(95, 140), (90, 90), (1000, 100)])
def test_strips_and_icons_have_no_fingerprint(judge, size):
    assert fingerprint(judge, encoded(photograph(9, size))) is None


def test_a_fast_check_gives_the_same_fingerprint_and_no_other_verdict(judge):
    data = encoded(photograph(10, (800, 600)))
    fast = Judge(Rules("fast", fingerprints=True))

    assert fingerprint(fast, data) == fingerprint(judge, data)
    cut = data[: len(data) // 2] + b"\xff\xd9"
    assert isinstance(fast.judge(cut, "a.jpg"), Accepted), "damage there is not its business"
    assert fingerprint(Judge(Rules("fast")), data) is None


def test_a_shape_is_the_same_within_a_pixel_and_both_ways():
    assert same_shape(1600, 1200, 150, 113)
    assert same_shape(150, 113, 1600, 1200)
    assert not same_shape(1600, 1200, 150, 115)
    assert not same_shape(1600, 1200, 1200, 1600)
    assert not same_shape(300, 200, 300, 300)
