"""Pairs and groups among many pictures, held against comparing everything with everything."""

from __future__ import annotations

import itertools
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.renditions.fingerprint import distance
from batchscan.renditions.grouping import Groups, Pictures, same_shapes
from batchscan.renditions.rule import MAX_DISTANCE, same_shape
from tests.support import million_pictures

SIDES = st.integers(96, 400)


def near(one: bytes, bits: int, seed: int) -> bytes:
    """A hash that differs in so many bits."""
    value = int.from_bytes(one, "big")
    for place in random.Random(seed).sample(range(256), bits):
        value ^= 1 << place
    return value.to_bytes(32, "big")


@st.composite
def hashes(draw: st.DrawFn) -> list[bytes]:
    """Hashes in clusters whose members are up to 24 bits apart."""
    centres = draw(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=4))
    members = st.tuples(st.sampled_from(centres), st.integers(0, 12), st.integers(0, 99))
    return [near(*member) for member in draw(st.lists(members, max_size=30))]


def pictures(found: list[bytes], *, detail: float = 5.0, taken: int = 0) -> Pictures:
    return Pictures.of([(each, detail, 400, 300, taken) for each in found])


@given(hashes())
def test_every_pair_within_the_distance_is_found_once(found):
    pairs = pictures(found).near_pairs()

    expected = {
        (one, other, distance(found[one], found[other]))
        for one, other in itertools.combinations(range(len(found)), 2)
        if distance(found[one], found[other]) <= MAX_DISTANCE
    }
    assert sorted(map(tuple, pairs.tolist())) == sorted(expected)


@given(hashes(), st.integers(0, 30))
def test_pairs_of_what_is_answered_already_are_left_out(found, first):
    all_pairs = {tuple(pair) for pair in pictures(found).near_pairs().tolist()}

    later = {tuple(pair) for pair in pictures(found).near_pairs(first).tolist()}

    assert later == {pair for pair in all_pairs if pair[1] >= first}


@given(hashes(), hashes())
def test_what_is_near_a_few_others_is_all_that_is(found, others):
    few = pictures(others)

    near = pictures(found).near_any(few)

    assert near.tolist() == [
        any(distance(one, other) <= MAX_DISTANCE for other in others) for one in found
    ]


@given(hashes())
def test_groups_hold_every_picture_once_and_neighbours_come_before(found):
    pairs = pictures(found).near_pairs()
    groups = list(Groups(len(found), pairs))

    assert sorted(number for group in groups for number in group.members) == list(range(len(found)))
    together = {number: at for at, group in enumerate(groups) for number in group.members}
    assert all(together[one] == together[other] for one, other, _ in pairs.tolist())
    for group in groups:
        assert group.members == sorted(group.members)
        for member, earlier in zip(group.members, group.earlier, strict=True):
            assert set(earlier) <= {each for each in group.members if each < member}
            assert len(earlier) == len(set(earlier))


@given(SIDES, SIDES, SIDES, SIDES)
def test_a_shape_is_the_same_in_any_order_and_of_many_at_once(width, height, wide, high):
    assert same_shape(width, height, wide, high) == same_shape(wide, high, width, height)
    one, other = (
        (np.array([float(each)]) for each in size) for size in ((width, height), (wide, high))
    )
    at_once = same_shapes((next(one), next(one)), (next(other), next(other)))
    assert at_once.tolist() == [same_shape(width, height, wide, high)]


def test_blank_pictures_are_no_pairs_and_other_shapes_neither():
    assert len(pictures([bytes(32)] * 500, detail=0.0).near_pairs()) == 0
    two = [(bytes(32), 5.0, 400, 300, 0), (bytes(32), 5.0, 400, 200, 0)]
    assert len(Pictures.of(two).near_pairs()) == 0


def test_those_of_one_moment_may_differ_in_more():
    one = random.Random(1).randbytes(32)
    found = pictures([one, near(one, 25, 1), near(one, 40, 2)], taken=7)

    assert found.near_pairs().tolist() == [[0, 1, 25]]
    assert len(pictures([one, near(one, 25, 1)]).near_pairs()) == 0


@pytest.mark.slow
def test_thousands_of_frames_of_one_scene_end_in_time():
    """They are not all compared with all; what is not is asked about."""
    scene = random.Random(2).randbytes(32)
    many = pictures([near(scene, 3, seed) for seed in range(3_000)])
    began = time.process_time()

    pairs = many.near_pairs()

    assert time.process_time() - began < 20
    assert len(pairs) < 1_000_000
    assert sum(len(group.members) for group in Groups(len(many), pairs)) == 3_000


def test_no_pictures_are_no_groups():
    assert list(Groups(0, pictures([]).near_pairs())) == []


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_million_pictures_take_half_a_minute_and_300_mib():
    measured = {"PATH": os.environ["PATH"]}  # without what measures the tests
    done = subprocess.run(
        [sys.executable, million_pictures.__file__],
        env=measured, cwd=Path(__file__).parents[2], check=True, capture_output=True, text=True,
    )  # fmt: skip
    figures = json.loads(done.stdout)

    assert figures["groups"] == million_pictures.COUNT // million_pictures.VERSIONS
    assert figures["seconds"] < 30
    assert figures["mib"] < 300
