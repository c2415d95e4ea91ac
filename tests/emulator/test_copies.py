"""Copies that were cropped, framed, written on, mirrored..., and what is no copy at all."""

from __future__ import annotations

import itertools
import random
from functools import cache

import numpy as np
import pytest
from PIL import Image

from batchscan.demo.artwork import artwork, encoded
from batchscan.demo.changes import CHANGES
from batchscan.emulator.matching.alignment import Placement, estimate_placement, thumbprint
from batchscan.emulator.matching.index import DescriptorIndex
from batchscan.emulator.matching.keypoints import detect_keypoints
from batchscan.emulator.matching.similarity import FULL, PARTIAL, PictureFeatures, fingerprint
from tests.support import pictures
from tests.support.comparing import compare
from tests.support.emulator_client import lenient

SEEDS = (0, 1, 4)
WAYS = {f"{kind}: {change.what}": change for kind, changes in CHANGES.items() for change in changes}
TINY = [(1, 1), (2, 1), (3, 3), (8, 8), (16, 16)]
THIN = [(1, 20_000), (20_000, 1), (3, 5_000), (1, 1)]


@cache
def original(seed: int) -> PictureFeatures:
    return fingerprint(encoded(artwork(seed), "PNG"))


def plain(picture: Image.Image) -> PictureFeatures:
    return fingerprint(encoded(picture, "PNG"))


@pytest.mark.parametrize("way", WAYS)
def test_changed_copies_are_found_whichever_of_the_two_is_sent(way):
    # Compressed again at the same size, a drawing may be the same by the rule for exact copies.
    allowed = {FULL, PARTIAL} if way.startswith("recompressed") else {PARTIAL}
    for seed in SEEDS:
        copy = fingerprint(WAYS[way].copy(artwork(seed)))
        assert compare(original(seed), copy) in allowed
        assert compare(copy, original(seed)) in allowed


@pytest.mark.parametrize("kind", CHANGES)
def test_what_is_done_to_two_pictures_does_not_make_them_copies(kind):
    copies = [fingerprint(CHANGES[kind][-1].copy(artwork(seed))) for seed in range(10)]
    pairs = itertools.combinations(copies, 2)
    assert [compare(one, other) for one, other in pairs] == [None] * 45


@pytest.mark.slow
def test_many_unrelated_pictures_are_not_alike():
    drawn = [plain(artwork(seed, 240, 160)) for seed in range(30)]
    soft = [plain(pictures.image(160, 120, seed)) for seed in range(30)]
    pairs = itertools.combinations(drawn + soft, 2)
    assert not [1 for one, other in pairs if compare(one, other) is not None]


def test_two_parts_of_one_picture_that_share_nothing_are_no_copies():
    picture = artwork(3)
    left, right = picture.crop((0, 0, 240, 320)), picture.crop((240, 0, 480, 320))
    assert compare(plain(left), plain(right)) is None


def test_flat_pictures_have_no_landmarks_and_are_like_no_other():
    flat = [plain(Image.new("RGB", (320, 240), name)) for name in ("white", "black", "teal")]
    chance = np.random.default_rng(1)
    for level in (128, 200):
        noise = chance.integers(level, level + 3, (240, 320), np.uint8)
        flat.append(plain(Image.fromarray(noise).convert("RGB")))
    assert [len(each.thumbprint.marks.descriptors) for each in flat] == [0] * len(flat)
    others = [original(seed) for seed in range(5)]
    pairs = [*itertools.combinations(flat, 2), *itertools.product(flat, others)]
    assert not [1 for one, other in pairs if compare(one, other) is not None]


@pytest.mark.parametrize("size", TINY)
def test_tiny_pictures_are_like_themselves_and_no_larger_one(size):
    seeds = range(12)
    tiny = [
        plain(Image.frombytes("RGB", size, random.Random(seed).randbytes(3 * size[0] * size[1])))
        for seed in seeds
    ]
    assert [compare(each, each) for each in tiny] == [FULL] * len(tiny)
    others = [original(seed) for seed in SEEDS]
    assert not [1 for pair in itertools.product(tiny, others) if compare(*pair) is not None]


@pytest.mark.parametrize("size", THIN)
def test_one_pixel_wide_pictures_are_handled(size):
    picture = artwork(5).resize(size)
    mine = plain(picture)
    assert compare(mine, plain(picture)) == FULL
    assert compare(mine, original(5)) is compare(original(5), mine) is None


@pytest.mark.parametrize("size", [*THIN, (4_000, 3_000), (20, 10)])
def test_what_is_kept_of_a_picture_is_small_however_large_it_is(size):
    kept = thumbprint(Image.new("L", size).resize(size))
    assert kept.grey.width * kept.grey.height <= 20_000
    noise = thumbprint(Image.effect_noise(size, 60))
    assert sum(each.nbytes for each in noise.marks) <= 20_000


def test_a_panorama_is_found_by_its_middle():
    panorama = artwork(6, 1_600, 300)
    assert compare(plain(panorama), plain(panorama.crop((300, 0, 1_300, 300)))) == PARTIAL


def test_landmarks_of_a_mirrored_picture_are_the_mirrored_landmarks():
    picture = artwork(7, 160, 120).convert("L")
    there = detect_keypoints(picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    at = estimate_placement(detect_keypoints(picture).mirrored(160), there)
    assert at is not None
    assert at == pytest.approx((1, 1, 0, 0), abs=1.5)


def test_a_place_turned_twice_is_itself_and_shows_what_both_show():
    at = Placement(2, 2, -10, 20)
    assert at.inverse().inverse() == pytest.approx(at)
    assert at.boxes((100, 50), (100, 100)) == ((5, 0, 55, 40), (0, 20, 100, 100))
    assert at.inverse().boxes((100, 100), (100, 50)) == ((0, 20, 100, 100), (5, 0, 55, 40))
    assert Placement(1, 1, 95, 0).boxes((100, 50), (100, 50)) is None


def test_the_descriptor_index_returns_every_similar_picture():
    marks = [original(seed).thumbprint.marks for seed in range(4)]
    register = DescriptorIndex()
    assert register.likely(marks[0]) == []
    for number in range(600):
        register.add(marks[number % 4])
    for first in range(4):
        assert set(range(first, 600, 4)) <= set(register.likely(marks[first]))
    assert register.likely(plain(Image.new("RGB", (9, 9))).thumbprint.marks) == []


async def test_an_answer_names_the_changed_copies_of_all_kinds(serve, tmp_path):
    changed = {f"{kind}.jpg": ways[0].copy(artwork(0)) for kind, ways in CHANGES.items()}
    strangers = {f"no-{seed}.jpg": encoded(artwork(seed), "JPEG") for seed in range(1, 9)}
    vendor = await serve(lenient(web=pictures.tree(tmp_path, changed | strangers)))
    answer = (await vendor.check(image=encoded(artwork(0), "PNG"))).json["matches"]
    url = vendor.emulator.web_url
    assert {each["url"] for each in answer["internet"]} == {url(name) for name in changed}
    assert answer["score"] == {
        "totalMatches": len(changed), "fullMatches": 0, "partialMatches": len(changed),
    }  # fmt: skip
