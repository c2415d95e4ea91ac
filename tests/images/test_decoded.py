import hashlib
import io
import random
from dataclasses import replace

import pytest
from PIL import Image as Pillow

from batchscan.images.decoded import DecodedCache
from batchscan.images.judge import Judge
from batchscan.images.preview import PreviewMaker
from batchscan.images.read import inspect
from batchscan.images.rules import Rules
from batchscan.images.sending import make_sendable
from batchscan.model import Candidate, Image, Stat
from batchscan.util.weighted_semaphore import WeightedSemaphore

LIMIT = 75_000_000


def photograph(size: tuple[int, int], mode: str, orientation: int, **how: bool) -> bytes:
    noise = Pillow.frombytes("RGB", (16, 9), random.Random(7).randbytes(16 * 9 * 3))
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    noise.resize(size).convert(mode).save(file, "JPEG", exif=exif, **how)
    return file.getvalue()


def inspected(tmp_path, judge: Judge, data: bytes) -> Image:
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    found = inspect(Candidate(str(path), Stat.of(path.stat())), judge, judge.rules)
    assert isinstance(found, Image)
    return found


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("size", [(950, 700), (700, 950), (775, 770), (767, 500), (2000, 9)])
def test_a_thumbnail_of_what_the_judge_decoded_is_the_same(
    tmp_path, decoders, mode, progressive, orientation, size
):
    decoded = DecodedCache()
    judge = Judge(Rules(), decoders, decoded=decoded)
    image = inspected(tmp_path, judge, photograph(size, mode, orientation, progressive=progressive))
    afresh = PreviewMaker(WeightedSemaphore(LIMIT), decoders, LIMIT).make_preview(image)
    assert afresh.thumbnail
    assert (
        PreviewMaker(WeightedSemaphore(LIMIT), decoders, LIMIT, decoded).make_preview(image)
        == afresh
    )


@pytest.mark.parametrize("orientation", [1, 6])
def test_without_metadata_it_is_the_same(tmp_path, decoders, orientation):
    rules, decoded = Rules(strip=True), DecodedCache()
    judge = Judge(rules, decoders, decoded=decoded)
    found = inspected(tmp_path, judge, photograph((950, 700), "RGB", orientation))
    image = make_sendable(found, decoders, rules)
    assert isinstance(image, Image)
    afresh = PreviewMaker(WeightedSemaphore(LIMIT), decoders, LIMIT).make_preview(image)
    assert afresh.thumbnail
    assert (
        PreviewMaker(WeightedSemaphore(LIMIT), decoders, LIMIT, decoded).make_preview(image)
        == afresh
    )


@pytest.mark.parametrize("orientation", [1, 6])
def test_of_a_conversion_it_is_what_was_sent(tmp_path, decoders, orientation):
    rules, decoded = Rules(), DecodedCache()
    judge = Judge(rules, decoders, decoded=decoded)
    found = inspected(tmp_path, judge, photograph((950, 700), "RGB", orientation))
    image = make_sendable(replace(found, convert=True), decoders, rules)
    assert isinstance(image, Image)
    afresh = PreviewMaker(WeightedSemaphore(LIMIT), decoders, LIMIT).make_preview(image)
    assert afresh.thumbnail
    assert (
        PreviewMaker(WeightedSemaphore(LIMIT), decoders, LIMIT, decoded).make_preview(image)
        == afresh
    )


def test_a_matched_picture_is_decoded_once(tmp_path, decoders):
    decoded = DecodedCache()
    judge = Judge(Rules(), decoders, decoded=decoded)
    image = inspected(tmp_path, judge, photograph((950, 700), "RGB", 1))
    # Nothing but a header is left: whoever decoded it would find no pixels.
    header = replace(image, data=image.data[: image.data.index(b"\xff\xda")])
    preview_maker = PreviewMaker(WeightedSemaphore(LIMIT), decoders, LIMIT, decoded)
    assert preview_maker.make_preview(header).thumbnail
    assert preview_maker.make_preview(header).thumbnail is None, "given away once"


def test_what_is_kept_is_bounded_and_the_oldest_makes_room():
    picture = Pillow.new("RGB", (100, 100))  # 40 kB in memory
    decoded = DecodedCache(room=400_000)
    names = [hashlib.sha256(bytes([n])).hexdigest() for n in range(25)]
    for name in names:
        decoded.put(name, picture, (800, 800))
        decoded.put(name, picture, (800, 800))
    assert [decoded.take(name) is not None for name in names] == [False] * 15 + [True] * 10
    decoded.put(names[0], Pillow.new("RGB", (113, 113)), (904, 904))
    assert decoded.take(names[0]) is None, "more than an eighth of the room"
