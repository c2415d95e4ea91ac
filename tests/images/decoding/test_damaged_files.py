"""Pictures of each kind that is converted, cut off or with wrong bytes: one answer each, no crash."""

from __future__ import annotations

import io
import random
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from batchscan.enums import RejectReason
from batchscan.images import kinds
from batchscan.images.conversion import icc
from batchscan.images.decoding.pool import Decoders
from batchscan.images.decoding.process import FileSource
from batchscan.images.judge import Judge
from batchscan.images.kinds import ImageFormat
from batchscan.images.rules import Accepted, Rules, RuleViolation
from tests.support import pictures
from tests.support.colours import saved, source, tiff

FILES = 60  # of each kind

NOISE = Image.fromarray(np.random.default_rng(1).integers(0, 255, (80, 120, 3), np.uint8))
FLAT = source((120, 80))


def heic() -> bytes:
    out = io.BytesIO()
    pytest.importorskip("pillow_heif").from_pillow(FLAT).save(out)
    return out.getvalue()


def jxl() -> bytes:
    return bytes(pytest.importorskip("pylibjxl").encode(np.asarray(NOISE).copy()))


def float_tiff() -> bytes:
    rows = zlib.compress((np.asarray(NOISE) / 255).astype("<f4").tobytes())
    tags: dict[int, list[int] | bytes] = {
        256: [120], 257: [80], 258: [32] * 3, 259: [8], 262: [2], 277: [3], 278: [80],
        339: [3] * 3, 34675: icc.srgb(),
    }  # fmt: skip
    return tiff(tags, [rows])


def subsampled_tiff() -> bytes:
    tags: dict[int, list[int] | bytes] = {
        256: [120], 257: [80], 258: [8] * 3, 259: [1], 262: [6], 277: [3], 278: [80], 530: [2, 2],
    }  # fmt: skip
    return tiff(tags, [bytes(range(240)) * 60])


def psd() -> bytes:
    head = struct.pack(">4sH6xHIIHH", b"8BPS", 1, 3, 80, 120, 8, 3)
    planes = b"".join(plane.tobytes() for plane in NOISE.split())
    return head + bytes(12) + bytes(2) + planes  # no palette, resources, layers; uncompressed


KINDS = {
    "psd": (kinds.PSD, psd),
    "heic": (kinds.HEIC, heic),
    "avif": (kinds.AVIF, lambda: saved(FLAT, "AVIF")),
    "jpeg xl": (kinds.JXL, jxl),
    "jpeg 2000": (kinds.JP2, lambda: saved(NOISE, "JPEG2000")),
    "tiff": (kinds.TIFF, lambda: saved(NOISE, "TIFF", compression="tiff_lzw")),
    "tiff with jpeg": (kinds.TIFF, lambda: saved(FLAT, "TIFF", compression="jpeg")),
    "tiff of floats": (kinds.TIFF, float_tiff),
    "subsampled tiff": (kinds.TIFF, subsampled_tiff),
    "raw": (kinds.DNG, pictures.dng),
    "jpeg": (kinds.JPEG, lambda: saved(NOISE, "JPEG")),
    "png": (kinds.PNG, lambda: saved(FLAT, "PNG")),
    "gif": (kinds.GIF, lambda: saved(NOISE, "GIF")),
    "webp": (kinds.WEBP, lambda: saved(NOISE, "WEBP")),
    "bmp": (kinds.BMP, lambda: saved(FLAT, "BMP")),
    "ico": (kinds.ICO, lambda: saved(FLAT, "ICO")),
}


def damaged(data: bytes, chance: random.Random) -> bytes:
    found = bytearray(data)
    how = chance.random()
    if how < 0.3:
        del found[chance.randrange(len(found)) :]
    if how > 0.2:
        reach = chance.choice((64, 512, len(data)))  # headers are short, and matter most
        for _ in range(chance.choice((1, 1, 2, 5, 20))):
            if found:
                at = chance.randrange(min(len(found), reach))
                bit = found[at] ^ 1 << chance.randrange(8)
                found[at] = chance.choice((bit, 0, 255, chance.randrange(256)))
    return bytes(found)


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_damaged_files_are_converted_or_rejected_by_a_process_that_stays(name):
    kind, make = KINDS[name]
    data, chance = make(), random.Random(name)
    decoders = Decoders(1)
    judge = Judge(Rules(convert=True, fingerprints=True), decoders)
    try:
        seen = set()
        for _ in range(FILES):
            assert_judged_and_converted(judge, kind, damaged(data, chance))
            seen |= set(decoders.pids)
        assert len(seen) == 1
    finally:
        judge.close()


def assert_judged_and_converted(judge: Judge, kind: ImageFormat, data: bytes) -> None:
    verdict = judge.judge(data, "a")
    assert isinstance(verdict, Accepted) or isinstance(verdict.reason, RejectReason), verdict
    made, reason = None, None
    try:
        made = judge.decoders.convert(kind, FileSource(data), check_raw=True)
    except RuleViolation as unfit:
        reason = unfit.reason
    if made is None:
        assert isinstance(reason, RejectReason)
        return
    with Image.open(io.BytesIO(made.data), formats=("JPEG",)) as sent:
        assert sent.size == (made.width, made.height)
