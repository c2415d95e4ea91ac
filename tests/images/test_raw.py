import sys
from collections.abc import Iterator

import pytest

from batchscan.enums import FailReason, RejectReason
from batchscan.images.decoding.pool import Decoders
from batchscan.images.judge import Judge
from batchscan.images.rules import Accepted, RejectedBytes, Rules
from tests.support import pictures

JPEG_XL = 52546  # LibRaw opens such a DNG and cannot unpack it
UNKNOWN = 34713  # LibRaw does not even open it


@pytest.fixture
def crashing() -> Iterator[Judge]:
    judge = Judge(Rules(), Decoders(1, command=[sys.executable, "-c", "import os; os.abort()"]))
    yield judge
    judge.close()


@pytest.mark.parametrize("check", ["full", "fast"])
@pytest.mark.parametrize("name", ["a.dng", "a.DNG", "a.raw"])
def test_a_whole_raw_is_accepted_at_its_full_size(judge_by, name, check):
    verdict = judge_by(Rules(check)).judge(pictures.dng(80, 60), name)

    assert isinstance(verdict, Accepted), verdict
    assert (verdict.format, verdict.content_type) == ("raw", "image/x-adobe-dng")
    assert (verdict.width, verdict.height, verdict.warnings) == (80, 60, ())


def test_raw_without_its_version_tag_needs_a_raw_name(judge):
    plain = pictures.dng(t50706=None)

    assert judge.judge(plain, "a.nef").content_type == "image/x-nikon-nef"
    assert judge.judge(plain, "a.tif").reason is RejectReason.UNSUPPORTED_FORMAT


def test_the_whole_sensor_counts_for_the_pixel_limit(judge_by):
    data = pictures.dng(80, 60)

    assert isinstance(judge_by(Rules(max_pixels=4800)).judge(data, "a.dng"), Accepted)
    refused = judge_by(Rules(max_pixels=4799)).judge(data, "a.dng")
    assert refused.reason is RejectReason.TOO_MANY_PIXELS
    assert (refused.width, refused.height) == (80, 60)


@pytest.mark.parametrize("check", ["full", "fast"])
def test_sensor_data_behind_the_end_of_the_file_is_corrupt(judge_by, check):
    verdict = judge_by(Rules(check)).judge(pictures.dng(t279=1_000_000), "a.dng")

    assert verdict.reason is RejectReason.CORRUPT
    assert "reaches to byte 1,000,008" in verdict.detail


def test_a_file_too_small_for_its_pixels_is_corrupt(judge):
    verdict = judge.judge(pictures.dng(t257=20_000, t278=20_000), "a.dng")

    assert verdict.reason is RejectReason.CORRUPT
    assert "0.04 bits a pixel" in verdict.detail


@pytest.mark.parametrize("compression", [JPEG_XL, UNKNOWN])
def test_raw_that_libraw_cannot_decode_is_accepted_with_a_warning(judge, compression):
    verdict = judge.judge(pictures.dng(t259=compression), "a.dng")

    assert isinstance(verdict, Accepted), verdict
    assert verdict.warnings[0].startswith("raw_undecodable: ")
    assert (verdict.width, verdict.height) == (64, 48)


@pytest.mark.parametrize("compression", [JPEG_XL, UNKNOWN])
def test_undecodable_raw_is_held_to_the_limits_all_the_same(judge_by, compression):
    small = judge_by(Rules(max_pixels=100))
    data = pictures.dng(t259=compression)

    assert small.judge(data, "a.dng").reason is RejectReason.TOO_MANY_PIXELS
    cut = judge_by(Rules()).judge(pictures.dng(t259=compression, t279=10**6), "a.dng")
    assert cut.reason is RejectReason.CORRUPT


def test_a_decoder_without_memory_says_nothing_about_the_file():
    reply = (
        "import os, time\n"
        'said = b\'{"raw": {"no_memory": true}}\'\n'
        "os.write(0, len(said).to_bytes(4, 'big') + said)\n"
        "time.sleep(60)"
    )
    judge = Judge(Rules(), Decoders(1, command=[sys.executable, "-c", reply]))

    verdict = judge.judge(pictures.dng(), "a.dng")
    judge.close()

    assert isinstance(verdict, RejectedBytes)
    assert verdict.reason is FailReason.CHECK_FAILED
    assert "memory" in verdict.detail


def test_an_ordinary_tiff_under_a_raw_name_is_refused(judge):
    verdict = judge.judge(pictures.tiff(), "a.nef")

    assert isinstance(verdict, RejectedBytes)
    assert verdict.reason is RejectReason.CORRUPT


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a.cr2", b"II*\0\x10\0\0\0CR\x02\0"),
        ("a.cr3", b"\0\0\0\x18ftypcrx \0\0\0\x01"),
        ("a.raf", b"FUJIFILMCCD-RAW 0201"),
        ("a.orf", b"IIRO\x08\0\0\0"),
        ("a.crw", b"II\x1a\0\0\0HEAPCCDR"),
        ("a.x3f", b"FOVb\0\0\2\0"),
    ],
)
def test_a_header_alone_is_corrupt(judge, name, head):
    verdict = judge.judge(head + bytes(100), name)

    assert verdict.reason is RejectReason.CORRUPT, verdict
    assert verdict.format == "raw"


@pytest.mark.parametrize("percent", [1, 10, 50, 90, 99])
def test_a_raw_that_is_cut_is_refused(judge, percent):
    data = pictures.dng(80, 60)

    assert isinstance(judge.judge(data[: len(data) * percent // 100], "a.dng"), RejectedBytes)


def test_a_decoder_that_crashes_costs_this_file_only(crashing):
    verdict = crashing.judge(pictures.dng(), "a.dng")

    assert verdict.reason is FailReason.CHECK_FAILED
    assert "killed by signal 6" in verdict.detail
    assert isinstance(crashing.judge(pictures.png(), "a.png"), Accepted)


def test_rasters_start_no_decoder_for_raw():
    process = Decoders(1)

    Judge(Rules(), process).judge(pictures.png(), "a.png")

    assert not process.pids
