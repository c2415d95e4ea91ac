import pytest

from batchscan.images import animation
from batchscan.images.rules import Accepted, Rules
from tests.support import pictures

ANIMATIONS = {
    "a.gif": pictures.animated_gif(),
    "a.webp": pictures.animated_webp(),
    "a.png": pictures.animated_png(),
}


def _warnings(verdict):
    assert isinstance(verdict, Accepted), verdict
    return verdict.warnings


@pytest.mark.parametrize("name", ANIMATIONS)
def test_an_animation_is_accepted_and_marked_as_one(judge, name):
    assert _warnings(judge.judge(ANIMATIONS[name], name)) == ("animated",)


def test_two_jpegs_in_one_file_are_a_jpeg(judge):
    verdict = judge.judge(pictures.mpo(), "a.jpg")

    assert verdict.format == "jpeg"
    assert _warnings(verdict) == ()


def test_a_damaged_later_frame_does_not_spoil_the_first(judge):
    cut = pictures.animated_gif()[:-2000]

    found = _warnings(judge.judge(cut, "a.gif"))

    assert found == ("missing_end_marker", "animated", "later_frames_damaged")


def test_a_damaged_second_jpeg_does_not_spoil_the_first(judge):
    data = bytearray(pictures.mpo())
    second = data.index(b"\xff\xd8\xff", 100)
    data[second + 4 : second + 40] = bytes(36)

    assert _warnings(judge.judge(bytes(data), "a.jpg")) == ("later_frames_damaged",)


def test_frames_are_decoded_only_while_the_budget_lasts(judge, monkeypatch):
    monkeypatch.setattr(animation, "BUDGET", 10_000)

    found = _warnings(judge.judge(pictures.animated_gif(frames=6), "a.gif"))

    assert found == ("animated", "later_frames_unchecked")


def test_a_later_frame_beyond_the_limit_is_not_even_looked_at(judge_by):
    data = bytearray(pictures.animated_gif(20, 10))
    second = data.index(b"\x21\xf9", data.index(b"\x2c", 800) + 1)
    frame = data.index(b"\x2c", second)
    data[frame + 5 : frame + 9] = b"\xff\xff\xff\xff"

    found = _warnings(judge_by(Rules()).judge(bytes(data), "a.gif"))

    assert found == ("animated", "later_frames_unchecked")


def test_a_second_jpeg_beyond_the_limit_is_not_decoded(judge_by):
    first, second = pictures.image(30, 20), pictures.image(60, 40, 1)
    data = pictures.encoded(first, "MPO", save_all=True, append_images=[second])

    found = _warnings(judge_by(Rules(max_pixels=600)).judge(data, "a.jpg"))

    assert found == ("later_frames_unchecked",)
