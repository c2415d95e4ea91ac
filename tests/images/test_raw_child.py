import io
import subprocess
import sys

import msgspec
import pytest
from PIL import Image

from batchscan.images.raw_child import examine, portray, serve
from batchscan.images.raw_report import REQUEST, RawReport, Wanted
from tests import pictures

LIMIT = 75_000_000


def test_a_file_is_opened_and_unpacked():
    assert examine(pictures.dng(), unpack=True, max_pixels=LIMIT) == RawReport(True, 64, 48, 64, 48)


def test_what_is_no_raw_is_not_opened():
    report = examine(b"nothing", unpack=True, max_pixels=LIMIT)

    assert not report.opened
    assert report.error


def test_unknown_compression_is_told_from_damage():
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
    replies = io.BytesIO()

    serve(io.BytesIO(REQUEST.pack(Wanted.PREVIEW, 60, LIMIT, len(data)) + data), replies)

    thumbnail = msgspec.json.decode(replies.getvalue(), type=RawReport).thumbnail
    assert thumbnail is not None
    assert Image.open(io.BytesIO(thumbnail)).size == (80, 40)


def test_a_file_without_a_preview_or_with_too_large_a_one_has_no_thumbnail():
    data = pictures.with_preview(pictures.dng(), pictures.jpeg(80, 40))

    assert portray(data, 80 * 40 - 1) == RawReport(opened=True)
    assert "No thumbnail" in str(portray(pictures.dng(), LIMIT).error)
    assert portray(b"nothing", LIMIT).thumbnail is None


def test_requests_are_answered_until_there_are_no_more():
    data = pictures.dng()
    request = REQUEST.pack(True, 60, LIMIT, len(data)) + data
    replies = io.BytesIO()

    serve(io.BytesIO(request + request + request[:-1]), replies)

    lines = replies.getvalue().splitlines()
    assert [msgspec.json.decode(line, type=RawReport).opened for line in lines] == [True, True]


def test_an_orphan_that_hangs_ends_itself():
    program = (
        "import io, sys, time\n"
        "from batchscan.images import raw_child\n"
        "raw_child.rawpy.RawPy = lambda: time.sleep(60)\n"
        "raw_child.main()\n"
    )
    request = REQUEST.pack(True, 1, LIMIT, 4) + b"FOVb"

    done = subprocess.run(
        [sys.executable, "-c", program], input=request, capture_output=True, check=False
    )

    assert done.returncode == -14  # SIGALRM


@pytest.mark.skipif(sys.platform != "linux", reason="macOS does not limit memory")
def test_a_lack_of_memory_is_told_from_damage():
    program = (
        "import resource\n"
        "from batchscan.images import raw_child\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "raw_child.MEMORY = used + 30_000_000\n"
        "raw_child.main()\n"
    )
    data = pictures.dng(t256=8000, t257=8000, t278=8000)
    request = REQUEST.pack(True, 60, LIMIT, len(data)) + data

    done = subprocess.run(
        [sys.executable, "-c", program], input=request, capture_output=True, check=True
    )

    assert msgspec.json.decode(done.stdout, type=RawReport).no_memory
