import threading

import pytest

from batchscan.enums import RejectReason
from batchscan.images.judge import Judge
from batchscan.images.rules import Accepted, RejectedBytes, Rules
from tests.support import pictures


@pytest.mark.parametrize(
    ("name", "data", "reason", "words"),
    [
        ("a.png", b"", RejectReason.EMPTY, "empty"),
        ("a.jpg", b"<html>gone", RejectReason.NOT_AN_IMAGE, "failed download"),
        ("a.jpg", b"\x00" * 30, RejectReason.NOT_AN_IMAGE, "no picture's signature"),
        ("a.heic", b"\0\0\0\x18ftypheic", RejectReason.UNSUPPORTED_FORMAT, "this is HEIC"),
        ("a.jpg", b"\0\0\0\x18ftypheic", RejectReason.UNSUPPORTED_FORMAT, "convert it to JPEG"),
        ("a.pdf", b"%PDF-1.4", RejectReason.UNSUPPORTED_FORMAT, "this is PDF"),
        ("a.tga", bytes(30), RejectReason.UNSUPPORTED_FORMAT, "this is TGA"),
        ("a.gif", pictures.gif()[:6], RejectReason.CORRUPT, "header cannot be read"),
        ("a.nef", pictures.jpeg(), RejectReason.EXTENSION_MISMATCH, "rename it to .jpg"),
        ("a.jpg", pictures.dng(), RejectReason.EXTENSION_MISMATCH, "rename it to .dng"),
    ],
    ids=range(10),
)
def test_a_refusal_has_its_reason_and_says_what_to_do(judge, name, data, reason, words):
    verdict = judge.judge(data, name)

    assert isinstance(verdict, RejectedBytes)
    assert verdict.reason is reason
    assert words in verdict.detail


def test_a_raster_under_another_name_is_accepted_under_its_own(judge):
    verdict = judge.judge(pictures.jpeg(), "photo.png")

    assert isinstance(verdict, Accepted)
    assert (verdict.format, verdict.content_type) == ("jpeg", "image/jpeg")
    assert verdict.extension == ".jpg"
    assert verdict.warnings == ("extension_mismatch: named .png, the content is JPEG",)


def test_many_threads_get_the_same_verdicts_as_one():
    judge = Judge(Rules(max_pixels=5000))  # so that one picture at a time is decoded
    files = {f"{seed}.png": pictures.png(seed=seed) for seed in range(8)}
    verdicts = {}

    def work(name: str, data: bytes) -> None:
        verdicts[name] = judge.judge(data, name)

    threads = [threading.Thread(target=work, args=item) for item in files.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert verdicts == {name: judge.judge(data, name) for name, data in files.items()}


def test_a_judge_that_met_no_raw_can_be_closed():
    Judge(Rules()).close()
