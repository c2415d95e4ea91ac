"""A worker's memory for pictures."""

from __future__ import annotations

from batchscan.engines.cluster.byte_cache import ByteCache


def test_what_lies_there_longest_goes_first():
    larder = ByteCache(10)
    for name in "abc":
        larder.put(name, "sha", name.encode() * 4)

    assert larder.get("a", "sha") is None
    assert (larder.get("b", "sha"), larder.get("c", "sha")) == (b"bbbb", b"cccc")


def test_the_same_picture_again_takes_its_room_once():
    larder = ByteCache(10)
    for _ in range(5):
        larder.put("a", "sha", b"aaaa")
    larder.put("b", "sha", b"bbbb")

    assert larder.get("a", "sha") == b"aaaa"


def test_what_was_released_makes_room():
    larder = ByteCache(8)
    larder.put("a", "sha", b"aaaa")
    larder.put("b", "sha", b"bbbb")
    larder.drop("b", "sha")
    larder.drop("b", "sha")
    larder.put("c", "sha", b"cccc")

    assert larder.get("a", "sha") == b"aaaa"


def test_a_picture_larger_than_all_the_room_is_not_kept():
    larder = ByteCache(3)
    larder.put("a", "sha", b"aaaa")

    assert larder.get("a", "sha") is None


def test_another_content_at_the_same_path_is_another_picture():
    larder = ByteCache(100)
    larder.put("a", "old", b"old")

    assert larder.get("a", "new") is None
