import struct

import pytest

from batchscan.images import kinds
from batchscan.images.end_markers import is_complete
from tests.support import pictures

WHOLE = [
    (kinds.JPEG, pictures.jpeg()),
    (kinds.PNG, pictures.png()),
    (kinds.GIF, pictures.gif()),
    (kinds.BMP, pictures.bmp()),
    (kinds.WEBP, pictures.webp()),
]
IDS = [kind.name for kind, _ in WHOLE]


@pytest.mark.parametrize(("kind", "data"), WHOLE, ids=IDS)
def test_a_whole_file_is_complete_also_with_bytes_behind_it(kind, data):
    assert is_complete(kind, data)
    assert is_complete(kind, data + b"appended")


@pytest.mark.parametrize(("kind", "data"), WHOLE, ids=IDS)
@pytest.mark.parametrize("kept", [0.0, 0.3, 0.6, 0.9])
def test_a_cut_file_is_not(kind, data, kept):
    assert not is_complete(kind, data[: int(len(data) * kept)])
    assert not is_complete(kind, data[:-1])


def test_an_old_bitmap_is_measured_by_its_shorter_header():
    old = b"BM" + struct.pack("<IHHIIHHHH", 0, 0, 0, 26, 12, 3, 2, 1, 24)

    assert is_complete(kinds.BMP, old + bytes(24))
    assert not is_complete(kinds.BMP, old + bytes(23))


def test_only_decoding_shows_the_end_of_an_icon_or_a_compressed_bitmap():
    compressed = bytearray(pictures.bmp())
    compressed[30] = 1

    assert not is_complete(kinds.BMP, bytes(compressed))
    assert not is_complete(kinds.ICO, pictures.ico())
