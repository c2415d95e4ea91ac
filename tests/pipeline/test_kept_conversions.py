from __future__ import annotations

from dataclasses import replace

from batchscan.model import Image, Sent, Stat
from batchscan.pipeline.kept_conversions import KeptConversions


def made(number: int, size: int = 10) -> Image:
    sent = Sent("f" * 64, size, "jpeg", 8, 8, "r1")
    data, path = bytes(size), f"/{number}.tif"
    digest = f"{number:064}"
    return Image(path, Stat(99, 1, 1), data, digest, "tiff", 8, 8, "image/jpeg", "a.jpg", sent=sent)


def test_a_conversion_is_given_once_and_for_the_same_file_only():
    kept = KeptConversions()
    kept.put(made(1))

    assert kept.take(made(2)) is None
    assert kept.take(replace(made(1), path="/other.tif")) is None
    assert kept.take(replace(made(1), stat=Stat(99, 2, 1))) is None
    assert kept.take(made(1)) == made(1)
    assert kept.take(made(1)) is None


def test_what_there_is_no_room_for_is_made_again():
    kept = KeptConversions(room=25)
    for number in range(3):
        kept.put(made(number))
    kept.put(made(0))  # a twin

    assert kept.take(made(2)) is None
    assert kept.take(made(1)) is not None
    kept.put(made(2))
    assert kept.take(made(2)) is not None, "there is room again"


def test_what_a_worker_holds_or_was_not_converted_is_not_kept():
    kept = KeptConversions()
    kept.put(made(1, size=0))
    kept.put(replace(made(2), sent=None))

    assert kept.take(made(1)) is None
    assert kept.take(made(2)) is None
