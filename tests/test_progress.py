import io

import pytest

from batchscan.progress import ProgressState, create


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


WALKING = ProgressState(found=30, done=10, matches=2, credits=9, max_credits=500)
WAITING = ProgressState(
    found=40, walk_ended=True, done=20, matches=1000, credits=19, waiting="429 pause 12 s"
)


@pytest.mark.parametrize(("mode", "quiet"), [("none", False), ("auto", True), ("plain", True)])
def test_nothing_is_said_when_nothing_is_wanted(clock, mode, quiet):
    stream = Terminal()
    progress = create(mode, stream, quiet=quiet, clock=clock)
    for _ in range(3):
        clock.now += 100
        progress.update(WALKING)
    progress.close()

    assert stream.getvalue() == ""


@pytest.mark.parametrize(("mode", "stream"), [("auto", io.StringIO()), ("plain", Terminal())])
def test_one_plain_line_a_minute_without_a_terminal(clock, mode, stream):
    progress = create(mode, stream, clock=clock)
    for _ in range(120):
        progress.update(WALKING if clock.now < 200 else WAITING)
        clock.now += 1.0
    progress.update(WAITING)
    progress.close()

    assert stream.getvalue().splitlines() == [
        "10 done, 30 found so far, 0.2/s, 2 matches, 9/500 credits",
        "20 done of 40, 0.2/s, 1,000 matches, 19 credits, 429 pause 12 s",
    ]


def test_a_terminal_gets_a_bar_whose_total_comes_with_the_end_of_the_walk(clock):
    stream = Terminal()
    progress = create("auto", stream, clock=clock)
    progress.update(WALKING)
    walking = stream.getvalue()
    clock.now += 1
    progress.update(WAITING)
    progress.close()

    assert "30 found, 2 matches, 9/500 credits" in walking
    assert "%" not in walking
    assert "20/40" in stream.getvalue()
    assert "429 pause 12 s" in stream.getvalue()


def test_a_bar_is_not_redrawn_more_than_ten_times_a_second_and_ends_with_the_last_state(clock):
    stream = Terminal()
    progress = create("auto", stream, clock=clock)
    for done in range(1000):
        progress.update(ProgressState(found=1000, walk_ended=True, done=done + 1))
        clock.now += 0.001
    drawn = stream.getvalue().count("matches")
    progress.close()

    assert 9 <= drawn <= 11
    assert "1000/1000" in stream.getvalue()


def test_a_bar_can_be_closed_before_anything_happened(clock):
    stream = Terminal()
    create("auto", stream, clock=clock).close()

    assert "matches" not in stream.getvalue()
