"""Whole pictures that cannot be decoded are called what they are, not damaged."""

from __future__ import annotations

import pytest

from batchscan.images.judge import Judge
from batchscan.images.rules import RejectedBytes, Rules
from tests.support.pictures import jpeg, png

BASELINE = b"\xff\xc0"


@pytest.fixture
def judge():
    opened = Judge(Rules())
    yield opened
    opened.close()


def of_kind(marker: int, bits: int = 8) -> bytes:
    """A JPEG whose frame says that it is of another kind."""
    data = bytearray(jpeg())
    at = data.index(BASELINE)
    data[at + 1] = marker
    data[at + 4] = bits
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "name", "what"),
    [
        (of_kind(0xC1, 12), "a.jpg", "a JPEG with 12 bits a channel"),
        (of_kind(0xC3), "a.jpg", "a lossless JPEG"),
        (of_kind(0xC5), "a.jpg", "a hierarchical JPEG"),
        (of_kind(0xF7), "a.jpg", "a JPEG-LS"),
        (png()[:8] + b"\0\0\0\x04CgBI\x50\0\x20\x02" + bytes(4) + png()[8:], "a.png", "Xcode"),
    ],
)
def test_an_unusual_picture_is_called_what_it_is(judge, data, name, what):
    verdict = judge.judge(data, name)

    assert isinstance(verdict, RejectedBytes)
    assert verdict.reason == "corrupt"
    assert what in verdict.detail
    assert "damaged" not in verdict.detail


def test_a_usual_one_that_is_cut_off_is_not_called_unusual(judge):
    verdict = judge.judge(jpeg()[:100], "a.jpg")

    assert isinstance(verdict, RejectedBytes)
    assert "ordinary" not in verdict.detail
