import pytest

from batchscan.images import end_markers
from batchscan.images.rules import Accepted, RejectedBytes
from tests.support import pictures


def test_the_end_marker_of_a_thumbnail_in_a_header_does_not_count():
    thumbnail = b"\xff\xe1\x00\x08abcd\xff\xd9"
    data = pictures.jpeg()
    with_thumbnail = data[:2] + thumbnail + data[2:-2]

    assert not end_markers.has_end(with_thumbnail)
    assert end_markers.has_end(with_thumbnail + end_markers.END)


def test_bytes_between_segments_are_passed_over():
    data = pictures.jpeg()

    assert end_markers.has_end(data[:2] + b"\x00\xff" + data[2:])
    assert not end_markers.has_end(b"\xff\xd8\xff")


@pytest.mark.parametrize("options", [{}, {"quality": 20}, {"restart_marker_rows": 1}], ids=str)
@pytest.mark.parametrize("missing", [1, 2])
def test_a_jpeg_that_lacks_only_its_end_marker_is_accepted_with_a_warning(judge, options, missing):
    verdict = judge.judge(pictures.jpeg(64, 48, **options)[:-missing], "a.jpg")

    assert isinstance(verdict, Accepted)
    assert verdict.warnings == ("missing_end_marker",)


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"restart_marker_rows": 1}], ids=str
)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_jpeg_cut_anywhere_before_is_refused(judge, options, seed):
    data = pictures.jpeg(40, 30, seed, **options)

    accepted = [
        len(data) - kept
        for kept in range(len(data) - 6)
        if not isinstance(judge.judge(data[:kept], "a.jpg"), RejectedBytes)
    ]

    assert accepted == []


def test_a_cut_jpeg_is_not_saved_by_an_end_marker_in_what_is_appended(judge):
    data = pictures.jpeg(200, 200, quality=95)

    verdict = judge.judge(data[: len(data) // 2], "a.jpg")

    assert isinstance(verdict, RejectedBytes)
    assert "truncated" in verdict.detail


def test_bytes_behind_the_end_marker_are_ignored(judge):
    verdict = judge.judge(pictures.jpeg() + bytes(60_000), "a.jpg")

    assert isinstance(verdict, Accepted)
    assert verdict.warnings == ()
