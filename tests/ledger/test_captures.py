"""Captures come out of the ledger as they went in, the newest look at a match first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from batchscan.enums import CaptureKind
from batchscan.ledger.captures import CapturedResource, CaptureFile, Timestamp
from batchscan.ledger.match_rows import MatchKey
from tests.support.evidence_ledgers import answer, answered, image

KEY = "https://example.com/1.jpg"
PICTURE = CapturedResource(
    CaptureKind.PICTURE,
    KEY,
    200,
    None,
    512,
    "ab" * 32,
    10,
    "image/jpeg",
    b"small",
    b"print",
    0.75,
    0.5,
)
GONE = CapturedResource(CaptureKind.PAGE, "https://example.com/", None, "no such name")


@pytest.fixture
def place(ledger) -> MatchKey:
    with ledger.transaction():
        answered(ledger, image("/p/a.png", b"a"), answer(KEY))
        (picture_id,) = ledger.evidence.pictures_on(lambda _: True, None)
    return MatchKey(picture_id, KEY)


def test_a_capture_is_read_as_it_was_entered(ledger, place):
    stamp = Timestamp("http://tsa.example/", b"answer", 12.5)
    file = CaptureFile("a.warc.gz", 99, "cd" * 32, 12.0, "ann", (PICTURE, GONE), stamp)
    with ledger.transaction():
        ledger.captures.add(place, file)
        assert ledger.captures.of_match(*place) == [file]
        assert ledger.captures.of_picture(place.picture_id) == {KEY: [file]}
        assert list(ledger.captures.captured()) == [(*place, 12.0)]
        assert ledger.captures.of_match(place.picture_id, "https://other.example/") == []


def test_the_newest_capture_with_a_preview_is_what_a_match_looks_like(ledger, place):
    with ledger.transaction():
        for number, preview in enumerate((b"first", b"second", None)):
            seen = (replace(PICTURE, preview=preview),)
            file = CaptureFile(f"{number}.warc.gz", 1, "cd" * 32, float(number), "", seen)
            ledger.captures.add(place, file)
        found = ledger.captures.preview(*place)
    assert (found.jpeg, found.captured_at) == (b"second", 1.0)
    assert (found.likeness, found.our_likeness) == (0.75, 0.5)
