from hypothesis import given
from hypothesis import strategies as st

from batchscan.images.animation import layout
from batchscan.images.rules import Size
from tests.support import pictures


def test_a_whole_animation_is_complete_at_its_own_size():
    found = layout(pictures.animated_gif(20, 10))

    assert found.first == found.reach == Size(20, 10)
    assert found.complete


def test_a_frame_that_reaches_out_of_the_screen_counts_in_full():
    assert layout(pictures.gif_bomb()).first == Size(65535, 66601)


def test_without_the_trailer_it_is_not_complete():
    assert not layout(pictures.gif()[:-1]).complete


def test_a_screen_without_a_frame_has_no_size():
    assert layout(pictures.gif()[:700]).first is None
    assert layout(b"GIF89a").first is None


@given(st.binary(max_size=300))
def test_any_bytes_can_be_walked(rest):
    layout(b"GIF89a" + rest)
