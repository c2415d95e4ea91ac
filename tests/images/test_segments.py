import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.images.segments import (
    SCAN,
    SegmentCutOff,
    end_of_scan,
    jpeg_segments,
    png_chunks,
    riff_chunks,
)
from tests.support import pictures


def test_the_parts_of_a_file_follow_one_another_to_its_end():
    jpeg, png, webp = pictures.jpeg(), pictures.png(), pictures.webp()

    at = 2
    for segment in jpeg_segments(jpeg):
        assert segment.start == at
        at = end_of_scan(jpeg, segment.end) if segment.marker == SCAN else segment.end
    assert at == len(jpeg)
    chunks = list(png_chunks(png))
    assert [chunk.start for chunk in chunks] == [8, *(chunk.end for chunk in chunks[:-1])]
    assert (chunks[-1].name, chunks[-1].end) == (b"IEND", len(png))
    *_, last = riff_chunks(webp, 12, len(webp))
    assert last.end + last.end % 2 == len(webp)


def test_what_lies_behind_the_end_of_a_png_is_no_part_of_it():
    assert list(png_chunks(pictures.png() + pictures.png())) == list(png_chunks(pictures.png()))


def test_a_file_that_ends_inside_a_head_says_so():
    cut = pictures.jpeg()[:2] + b"\xff\xe1\x00"
    with pytest.raises(SegmentCutOff):
        list(jpeg_segments(cut))
    assert [chunk.name for chunk in riff_chunks(b"VP8 \4\0\0\0abcdVP", 0, 14)] == [b"VP8 ", b""]


@given(data=st.binary(max_size=300))
def test_parsing_any_bytes_ends(data):
    try:
        segments = list(jpeg_segments(b"\xff\xd8" + data))
    except SegmentCutOff:
        segments = []
    for parts in (segments, list(png_chunks(data)), list(riff_chunks(data, 0, len(data)))):
        starts = [part.start for part in parts]
        assert starts == sorted(starts)
