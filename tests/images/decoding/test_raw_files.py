import io

import pytest
from PIL import Image

from batchscan.images.decoding.raw_files import examine, make_preview
from batchscan.images.raw_process import RawReport
from tests.support import pictures

LIMIT = 75_000_000


def test_a_file_is_opened_and_unpacked():
    assert examine(pictures.dng(), unpack=True, max_pixels=LIMIT) == RawReport(True, 64, 48, 64, 48)


def test_a_file_that_is_not_raw_is_not_opened():
    report = examine(b"nothing", unpack=True, max_pixels=LIMIT)

    assert not report.opened
    assert report.error


def test_unknown_compression_is_distinguished_from_damage():
    assert examine(pictures.dng(t259=52546), unpack=True, max_pixels=LIMIT).unsupported
    cut = examine(pictures.dng(t273=10**6), unpack=True, max_pixels=LIMIT)
    assert cut.error
    assert not cut.unsupported


def test_above_the_limit_nothing_is_unpacked():
    beyond = pictures.dng(t273=10**6)

    assert examine(beyond, unpack=True, max_pixels=100).error is None
    assert examine(beyond, unpack=False, max_pixels=LIMIT).error is None


@pytest.mark.parametrize("preview", [pictures.jpeg(80, 40), pictures.image(80, 40)])
def test_a_preview_becomes_a_thumbnail_whether_it_is_a_jpeg_or_pixels(preview):
    data = pictures.with_preview(pictures.dng(), preview)

    thumbnail = make_preview(data, LIMIT).thumbnail
    assert thumbnail is not None
    assert Image.open(io.BytesIO(thumbnail)).size == (80, 40)


def test_a_file_without_a_preview_or_with_too_large_a_one_has_no_thumbnail():
    data = pictures.with_preview(pictures.dng(), pictures.jpeg(80, 40))

    assert make_preview(data, 80 * 40 - 1) == RawReport(opened=True)
    assert "No thumbnail" in str(make_preview(pictures.dng(), LIMIT).error)
    assert make_preview(b"nothing", LIMIT).thumbnail is None
