"""A worker's memory for pictures."""

from __future__ import annotations

from batchscan.engines.cluster.byte_cache import ByteCache


def test_what_lies_there_longest_goes_first():
    cache = ByteCache(10)
    for name in "abc":
        cache.put(name, "sha", name.encode() * 4)

    assert cache.get("a", "sha") is None
    assert (cache.get("b", "sha"), cache.get("c", "sha")) == (b"bbbb", b"cccc")


def test_the_same_picture_again_takes_its_room_once():
    cache = ByteCache(10)
    for _ in range(5):
        cache.put("a", "sha", b"aaaa")
    cache.put("b", "sha", b"bbbb")

    assert cache.get("a", "sha") == b"aaaa"


def test_released_bytes_make_room_for_others():
    cache = ByteCache(8)
    cache.put("a", "sha", b"aaaa")
    cache.put("b", "sha", b"bbbb")
    cache.drop("b", "sha")
    cache.drop("b", "sha")
    cache.put("c", "sha", b"cccc")

    assert cache.get("a", "sha") == b"aaaa"


def test_a_picture_larger_than_all_the_room_is_not_kept():
    cache = ByteCache(3)
    cache.put("a", "sha", b"aaaa")

    assert cache.get("a", "sha") is None


def test_another_content_at_the_same_path_is_another_picture():
    cache = ByteCache(100)
    cache.put("a", "old", b"old")

    assert cache.get("a", "new") is None
