import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.images import kinds
from batchscan.images.end_markers import is_complete
from batchscan.images.headers import claimed_size
from batchscan.images.rules import Size
from tests.support import pictures


@pytest.mark.parametrize(
    ("kind", "data", "size"),
    [
        (kinds.GIF, pictures.gif(70, 30), (70, 30)),
        (kinds.WEBP, pictures.webp(70, 30), (70, 30)),
        (kinds.WEBP, pictures.webp(70, 30, lossless=True), (70, 30)),
        (kinds.WEBP, pictures.animated_webp(300, 20), (300, 20)),
        (kinds.ICO, pictures.ico(40, 24), (40, 24)),
        (kinds.ICO, pictures.ico(40, 24, form="bmp"), (40, 24)),
    ],
    ids=["gif", "lossy", "lossless", "animated", "png in ico", "bmp in ico"],
)
def test_the_size_is_read_without_a_decoder(kind, data, size):
    assert claimed_size(kind, data) == Size(*size)


def test_pillow_is_asked_for_the_others():
    assert claimed_size(kinds.PNG, pictures.png()) is None


def test_an_icons_largest_entry_counts_whatever_its_directory_says():
    lying = bytearray(pictures.ico(200, 100))
    lying[6:8] = b"\x01\x01"

    assert claimed_size(kinds.ICO, bytes(lying)) == Size(200, 100)


def test_an_old_bitmap_header_inside_an_icon_is_read():
    entry = struct.pack("<BBBBHHII", 5, 7, 0, 0, 1, 1, 12, 22)
    core = struct.pack("<IHHHH", 12, 5, 14, 1, 1)

    assert claimed_size(kinds.ICO, b"\0\0\1\0\1\0" + entry + core) == Size(5, 7)


@given(
    st.sampled_from([kinds.GIF, kinds.WEBP, kinds.ICO, kinds.JPEG, kinds.PNG, kinds.BMP]),
    st.sampled_from([b"RIFF\0\0\0\0WEBPVP8X", b"RIFF\0\0\0\0WEBPVP8 ", b"\0\0\1\0", b"BM", b""]),
    st.binary(max_size=80),
)
def test_any_bytes_can_be_looked_at(kind, start, rest):
    claimed_size(kind, start + rest)
    is_complete(kind, start + rest)
