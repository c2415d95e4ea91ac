import itertools
import struct
import subprocess
import sys
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from batchscan.enums import FailReason, RejectReason
from batchscan.images.judge import Judge
from batchscan.images.rules import Accepted, RejectedBytes, Rules
from tests.support import pictures

WHOLE = {
    "a.jpg": pictures.jpeg(),
    "a.png": pictures.png(),
    "a.gif": pictures.gif(),
    "a.bmp": pictures.bmp(),
    "a.webp": pictures.webp(),
    "a.ico": pictures.ico(64, 48),
    "b.ico": pictures.ico(64, 48, form="bmp"),
}


@pytest.mark.parametrize("check", ["full", "fast"])
@pytest.mark.parametrize("name", WHOLE)
def test_a_good_picture_is_accepted_at_its_size_without_a_warning(judge_by, name, check):
    verdict = judge_by(Rules(check)).judge(WHOLE[name], name)

    assert isinstance(verdict, Accepted), verdict
    assert (verdict.width, verdict.height, verdict.warnings) == (64, 48, ())


@pytest.mark.parametrize("check", ["full", "fast"])
@pytest.mark.parametrize("name", WHOLE)
def test_exactly_the_limit_passes_and_one_pixel_more_does_not(judge_by, name, check):
    assert isinstance(judge_by(Rules(check, max_pixels=64 * 48)).judge(WHOLE[name], name), Accepted)

    refused = judge_by(Rules(check, max_pixels=64 * 48 - 1)).judge(WHOLE[name], name)

    assert isinstance(refused, RejectedBytes)
    assert refused.reason is RejectReason.TOO_MANY_PIXELS
    assert (refused.width, refused.height) == (64, 48)


@pytest.mark.parametrize("check", ["full", "fast"])
@pytest.mark.parametrize("name", WHOLE)
def test_a_picture_cut_in_the_middle_is_refused(judge_by, name, check):
    judge, data = judge_by(Rules(check)), WHOLE[name]

    for percent in range(1, 96, 3):
        verdict = judge.judge(data[: len(data) * percent // 100], name)
        assert isinstance(verdict, RejectedBytes), percent
        assert verdict.reason in {RejectReason.CORRUPT, RejectReason.NOT_AN_IMAGE}
        assert verdict.detail


@given(st.sampled_from(sorted(WHOLE)), st.integers(0, 20_000), st.integers(0, 255))
def test_one_wrong_byte_never_raises_and_gets_the_same_verdict_twice(name, position, value):
    data = bytearray(WHOLE[name])
    data[position % len(data)] = value
    judge = Judge(Rules(max_pixels=1_000_000))

    assert judge.judge(bytes(data), name) == judge.judge(bytes(data), name)


@pytest.mark.parametrize("dispose", [0, 1, 2, 3])
def test_a_bomb_of_a_few_bytes_is_refused_before_it_is_opened(judge, dispose):
    bomb = pictures.gif_bomb(dispose=dispose)

    verdict = judge.judge(bomb, "a.gif")

    assert len(bomb) <= 44
    assert isinstance(verdict, RejectedBytes)
    assert verdict.reason is RejectReason.TOO_MANY_PIXELS
    assert (verdict.width, verdict.height) == (65535, 66601)


def test_a_bomb_inside_an_icon_is_refused_before_it_is_opened(judge):
    bomb = bytearray(pictures.ico())
    header = bomb.index(b"IHDR")
    bomb[header + 4 : header + 12] = struct.pack(">II", 9000, 9000)

    assert judge.judge(bytes(bomb), "a.ico").reason is RejectReason.TOO_MANY_PIXELS


def test_a_png_with_a_wrong_checksum_is_corrupt_under_full(judge):
    data = bytearray(pictures.png())
    data[data.index(b"IDAT") + 200] ^= 1

    verdict = judge.judge(bytes(data), "a.png")

    assert verdict.reason is RejectReason.CORRUPT
    assert verdict.detail.startswith("its pixels cannot be decoded: ")
    assert (verdict.format, verdict.width, verdict.height) == ("png", 64, 48)


def test_fast_does_not_look_at_pixels(judge_by):
    data = bytearray(pictures.png())
    data[data.index(b"IDAT") + 200] ^= 1

    assert isinstance(judge_by(Rules("fast")).judge(bytes(data), "a.png"), Accepted)


def test_fast_looks_closer_where_the_end_marker_is_missing(judge_by):
    verdict = judge_by(Rules("fast")).judge(pictures.jpeg()[:-2], "a.jpg")

    assert verdict.warnings == ("missing_end_marker",)


def test_a_gif_without_its_trailer_is_accepted_with_a_warning(judge):
    assert judge.judge(pictures.gif()[:-1], "a.gif").warnings == ("missing_end_marker",)


def test_metadata_of_megabytes_is_no_reason_to_refuse_a_png(judge):
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", "x" * 3_000_000, zip=True)

    assert isinstance(judge.judge(pictures.png(pnginfo=info), "a.png"), Accepted)


def test_pillows_own_guard_against_bombs_is_set_aside(judge):
    flat = pictures.encoded(Image.new("1", (10_000, 7_500)), "PNG")

    verdict = judge.judge(flat, "a.png")

    assert isinstance(verdict, Accepted), verdict
    assert verdict.width * verdict.height == 75_000_000


def test_details_are_the_same_on_every_day_and_machine(judge):
    verdict = judge.judge(pictures.jpeg()[:300], "a.jpg")

    assert "0x" not in verdict.detail


def test_the_verdict_does_not_depend_on_what_was_judged_before():
    files = {
        "a.tga": pictures.tga(),
        "a.ico": pictures.ico(form="bmp"),
        "a.tif": pictures.tiff(),
        "a.jpg": pictures.mpo(),
    }
    alone = {name: Judge(Rules()).judge(data, name) for name, data in files.items()}

    for order in itertools.permutations(files):
        judge = Judge(Rules())
        assert {name: judge.judge(files[name], name) for name in order} == alone


def test_a_fresh_process_judges_an_icon_alike_after_a_tga(tmp_path):
    pictures.tree(tmp_path, {"a.tga": pictures.tga(), "b.ico": pictures.ico(form="bmp")})
    program = (
        "import sys; from PIL import Image; from batchscan.images.judge import *\n"
        "names = sys.argv[1:]; j = Judge(Rules())\n"
        "for n in names:\n"
        "    if n.endswith('tga'): Image.open(n).load()\n"
        "    print(sorted(map(repr, [j.judge(open(n, 'rb').read(), n)])))\n"
    )

    def run(*names: str) -> set[str]:
        command = [sys.executable, "-c", program, *names]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert done.stderr == ""
        return set(done.stdout.splitlines())

    assert run("a.tga", "b.ico") == run("b.ico", "a.tga") == run("a.tga") | run("b.ico")


def test_odd_files_leave_nothing_on_stderr(tmp_path):
    pictures.tree(tmp_path, {"a.jpg": pictures.mpo().replace(b"MPF\0II*\0", b"MPF\0II*\1")})
    program = (
        "from pathlib import Path; from batchscan.images.judge import *\n"
        "print(type(Judge(Rules()).judge(Path('a.jpg').read_bytes(), 'a.jpg')).__name__)"
    )

    command = [sys.executable, "-W", "always", "-c", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)

    assert (done.stdout, done.stderr) == ("Accepted\n", "")


@pytest.mark.skipif(sys.platform != "linux", reason="macOS does not limit memory")
def test_a_lack_of_memory_says_nothing_about_the_file(tmp_path):
    header = struct.pack(">IIBBBBB", 12_000, 4_001, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(12_001) * 4_001)
    chunks = b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    )
    pictures.tree(tmp_path, {"a.png": b"\x89PNG\r\n\x1a\n" + chunks})
    program = (
        "import resource; from batchscan.images.judge import *\n"
        "from batchscan.images import raster\n"
        "data = open('a.png', 'rb').read(); judge = Judge(Rules())\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + 20_000_000,) * 2)\n"
        "print(judge.judge(data, 'a.png').reason)\n"
    )

    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == FailReason.CHECK_FAILED
