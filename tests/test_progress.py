import io
from typing import Any

import pytest

from batchscan.progress import ProgressState, Speed, create, fitted, parts_of


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


def uploading(seconds: int, **changes) -> ProgressState:
    """A run at 10/s over 200,000 pictures of 1 MB, on a line that takes 8 MB/s."""
    done = 8 * seconds
    facts: dict[str, Any] = {
        "found": 200_000, "walk_ended": True,
        "done": done, "sent": done, "sent_bytes": done * 10**6,
        "interval": 0.1, "matches": done // 10, "credits": done,
    }  # fmt: skip
    return ProgressState(**(facts | changes))


@pytest.mark.parametrize(("mode", "quiet"), [("none", False), ("auto", True), ("plain", True)])
def test_no_progress_is_shown_when_it_is_off(clock, mode, quiet):
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
        "20 of 40 (50 %), 0.2/s, 2 min left, 1,000 matches, 19 credits, 429 pause 12 s",
    ]


def test_a_terminal_gets_a_bar_whose_total_comes_with_the_end_of_the_walk(clock):
    stream = Terminal()
    progress = create("auto", stream, clock=clock)
    progress.update(WALKING)
    walking = stream.getvalue()
    clock.now += 1
    progress.update(WAITING)
    progress.close()

    assert "10 done, 30 found so far, 10.0/s, 2 matches, 9/500 credits" in walking
    assert "%" not in walking
    assert "20 of 40" in stream.getvalue()
    assert " 50%|" in stream.getvalue()
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
    assert "1,000 of 1,000" in stream.getvalue()


def test_a_bar_can_be_closed_before_anything_happened(clock):
    stream = Terminal()
    create("auto", stream, clock=clock).close()

    assert "matches" not in stream.getvalue()


def measured(states: dict[int, ProgressState]) -> Speed:
    speed = Speed(min(states) - 1)
    for at, state in states.items():
        speed.add(at, state)
    return speed


def test_rates_are_of_the_last_minute_and_unchanged_files_are_no_work():
    early = {at: ProgressState(done=100_000 + at, unchanged=100_000) for at in range(100)}
    late = {
        at: ProgressState(done=100_100 + 5 * (at - 100), unchanged=100_000)
        for at in range(100, 161)
    }
    speed = measured(early | late)

    assert speed.rates(160, late[160]) == pytest.approx((5.0, 0, 0))


@pytest.mark.parametrize(
    ("changes", "hours"),
    [
        ({}, 6.9),  # as fast as lately, which is slower than the pace
        ({"interval": 0.2}, 11.1),  # the pace has become slower than that
        ({"interval": 0.2, "sent": 400}, 6.9),  # half of what was looked at had to be sent
    ],
)
def test_the_time_left_follows_recent_progress_or_the_pace(changes, hours):
    now = uploading(100, **changes)
    before = {at: uploading(at, sent=at * now.sent // 100) for at in range(100)}
    left = measured(before | {100: now}).left(100, now)

    assert left is not None
    assert left / 3600 == pytest.approx(hours, abs=0.1)


def test_a_run_that_sends_nothing_is_timed_by_what_it_does():
    speed = measured(
        {at: ProgressState(found=1_000, walk_ended=True, done=at * 10) for at in (0, 50)}
    )

    left = speed.left(50, ProgressState(found=1_000, walk_ended=True, done=500))
    assert left == pytest.approx(51)  # the first sample is a second older


@pytest.mark.parametrize(
    "state", [WALKING, ProgressState(found=9, done=9, walk_ended=True), ProgressState()]
)
def test_no_time_is_reported_that_nobody_can_know(state):
    assert measured({0: state, 10: state}).left(10, state) is None


def test_the_most_important_parts_are_kept_in_a_narrow_terminal():
    state = uploading(100, waiting="429 pause 12 s", max_credits=500_000)
    parts = parts_of(state, measured({40: uploading(40), 100: state}), 100)

    assert fitted("800 of 200,000", parts, 200) == (
        "800 of 200,000, 8.0/s, 8.0 MB/s, 6 h 55 min left, 80 matches, 800/500,000 credits,"
        " 429 pause 12 s"
    )
    assert fitted("800 of 200,000", parts, 60) == (
        "800 of 200,000, 8.0/s, 6 h 55 min left, 429 pause 12 s"
    )
    assert fitted("800 of 200,000", parts, 10) == "800 of 200,000"


def test_a_count_of_one_is_singular():
    parts = parts_of(ProgressState(matches=1, credits=1), measured({0: ProgressState()}), 1)

    assert [part.text for part in parts] == ["0.0/s", "1 match", "1 credit"]


def test_a_line_of_an_80_column_terminal_holds_it_all(clock):
    stream = Terminal()
    progress = create("auto", stream, clock=clock)
    for second in range(100):
        clock.now += 1
        progress.update(uploading(second))
    drawn = [line for line in stream.getvalue().split("\r") if "left" in line]
    progress.close()

    assert max(map(len, drawn)) <= 80
    assert "  0%|" in drawn[-1]
    assert "792 of 200,000, 8.0/s, 6 h 56 min left" in drawn[-1]
