"""Progress of a run: a bar on a terminal, elsewhere one line a minute."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, NoReturn, Protocol, TextIO

if TYPE_CHECKING:
    from tqdm import tqdm

REDRAW = 0.1  # seconds between two redraws of the bar
LINE_INTERVAL = 60.0  # seconds between two lines
WINDOW = 60.0  # seconds over which rates are averaged
SAMPLE = 1.0  # seconds between two samples in the window
DEFAULT_COLUMNS = 80
_MINUTE = 60
NARROWEST = 16  # columns of percentage and bar


@dataclass(frozen=True, slots=True)
class ProgressState:
    """How far a run is; `found` is the total only once `walk_ended`."""

    found: int = 0
    walk_ended: bool = False
    done: int = 0
    unchanged: int = 0  # of those that are done
    sent: int = 0
    sent_bytes: int = 0
    interval: float = 0.0  # seconds between two requests at the current rate
    matches: int = 0
    credits: int = 0
    max_credits: int | None = None
    waiting: str | None = None  # "429 pause 12 s", "service away, probing"


class Progress(Protocol):
    """Shows states of a run; cheap to call often."""

    def update(self, state: ProgressState) -> None:
        """Show a state, unless one was shown a moment ago."""
        ...

    def close(self) -> None:
        """Stop showing progress and restore the terminal."""
        ...


def create(
    mode: Literal["auto", "plain", "none"],
    stream: TextIO,
    *,
    quiet: bool = False,
    clock: Callable[[], float] = time.monotonic,
) -> Progress:
    """Choose how to show progress: a bar for `auto` on a terminal, lines otherwise."""
    if quiet or mode == "none":
        return Silent()
    if mode == "auto" and stream.isatty():
        return Bar(stream, clock)
    return Lines(stream, clock)


class Silent:
    """Shows no progress."""

    def update(self, state: ProgressState) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class _Sample(NamedTuple):
    at: float
    state: ProgressState


class Speed:
    """Rates over the last minute, and the remaining time at these rates."""

    def __init__(self, now: float) -> None:
        self._samples = deque([_Sample(now, ProgressState())])

    def add(self, now: float, state: ProgressState) -> None:
        """Add a sample."""
        samples = self._samples
        if now - samples[-1].at >= SAMPLE:
            samples.append(_Sample(now, state))
        while len(samples) > 1 and samples[1].at <= now - WINDOW:
            samples.popleft()

    def rates(self, now: float, state: ProgressState) -> tuple[float, float, float]:
        """Pictures decided, pictures sent and bytes sent per second, without unchanged ones."""
        first = self._samples[0]
        seconds = max(now - first.at, SAMPLE)
        worked = _worked(state) - _worked(first.state)
        sent, size = state.sent - first.state.sent, state.sent_bytes - first.state.sent_bytes
        return worked / seconds, sent / seconds, size / seconds

    def left(self, now: float, state: ProgressState) -> float | None:
        """Remaining seconds at the recent speed, and no faster than the rate limit allows."""
        rest = state.found - state.done
        decided, sent, _ = self.rates(now, state)
        if not state.walk_ended or rest <= 0 or not decided:
            return None
        share = min(1.0, sent / decided)  # of the remaining pictures that will be sent
        return max(rest / decided, share * rest * state.interval)


def _worked(state: ProgressState) -> int:
    return state.done - state.unchanged


class Lines:
    """Prints one plain line a minute; nothing in a run of less than a minute."""

    def __init__(self, stream: TextIO, clock: Callable[[], float]) -> None:
        self._stream = stream
        self._clock = clock
        self._printed_at = clock()
        self._speed = Speed(clock())

    def update(self, state: ProgressState) -> None:
        """Print a line if the last one is a minute old."""
        now = self._clock()
        self._speed.add(now, state)
        if now - self._printed_at < LINE_INTERVAL:
            return
        self._printed_at = now
        percent = f" ({100 * state.done // max(1, state.found)} %)" if state.walk_ended else ""
        parts = [f"{_counts(state)}{percent}", *_ordered(parts_of(state, self._speed, now))]
        self._stream.write(", ".join(parts) + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Do nothing: lines need no cleaning up."""


class Bar:
    """Draws a bar at most ten times a second; without a total until the walk has ended."""

    def __init__(self, stream: TextIO, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._next = float("-inf")
        self._last: ProgressState | None = None
        self._speed = Speed(clock())
        self._stream = stream
        self._bar = _tqdm(stream)

    def update(self, state: ProgressState) -> None:
        """Redraw, unless that was done a moment ago."""
        self._last = state
        now = self._clock()
        self._speed.add(now, state)
        if now >= self._next:
            self._next = now + REDRAW
            self._draw(state)

    def close(self) -> None:
        """Draw the last state once more, then remove the bar."""
        if self._last is not None:
            self._draw(self._last)
        self._bar.close()

    def _draw(self, state: ProgressState) -> None:
        bar = self._bar
        parts = parts_of(state, self._speed, self._clock())
        room = _columns(self._stream) - (NARROWEST if state.walk_ended else 0)
        if state.walk_ended:
            bar.total = state.found
            bar.bar_format = "{percentage:3.0f}%|{bar}| {desc}"
        bar.set_description_str(fitted(_counts(state), parts, room), refresh=False)
        bar.n = state.done
        bar.refresh()


def _columns(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or DEFAULT_COLUMNS
    except (OSError, ValueError):  # it is closed, or was never a file
        return DEFAULT_COLUMNS


def _tqdm(stream: TextIO) -> tqdm[NoReturn]:
    from tqdm import tqdm  # noqa: PLC0415 - only a terminal needs it

    class Unwatched(tqdm):  # type: ignore[type-arg]
        monitor_interval = 0  # no monitoring thread: `Bar` alone decides when to draw

    # tqdm's own lock works between processes, for which some systems start a helper process.
    Unwatched.set_lock(threading.RLock())
    return Unwatched(file=stream, bar_format="{desc}", dynamic_ncols=True, leave=False, delay=0)


class ProgressPart(NamedTuple):
    """A piece of text beside the count."""

    weight: int  # if there is no room, the heaviest parts are dropped first
    text: str


def parts_of(state: ProgressState, speed: Speed, now: float) -> list[ProgressPart]:
    """The text beside the count: rates, time, matches, credits, and what the run waits for."""
    decided, _, size = speed.rates(now, state)
    left = speed.left(now, state)
    limit = state.max_credits
    parts = [
        ProgressPart(2, f"{decided:.1f}/s"),
        ProgressPart(5, f"{size / 1e6:.1f} MB/s" if size else ""),
        ProgressPart(1, f"{_duration(left)} left" if left is not None else ""),
        ProgressPart(4, _counted(state.matches, "match", "matches")),
        ProgressPart(3, _counted(state.credits, "credit", "credits", limit)),
        ProgressPart(0, state.waiting or ""),
    ]
    return [part for part in parts if part.text]


def fitted(counts: str, parts: Sequence[ProgressPart], room: int) -> str:
    """The counts, and as many of the parts as there is room for, in their order."""
    fitting: list[ProgressPart] = []
    for part in sorted(parts):
        text = ", ".join([counts, *_ordered([*fitting, part])])
        if len(text) <= room:
            fitting.append(part)
    return ", ".join([counts, *(part.text for part in parts if part in fitting)])


def _ordered(parts: Sequence[ProgressPart]) -> list[str]:
    return [part.text for part in parts]


def _counts(state: ProgressState) -> str:
    if state.walk_ended:
        return f"{state.done:,} of {state.found:,}"
    return f"{state.done:,} done, {state.found:,} found so far"


def _counted(number: int, one: str, more: str, limit: int | None = None) -> str:
    if limit is not None:
        return f"{number:,}/{limit:,} {more}"
    return f"{number:,} {one if number == 1 else more}"


def _duration(seconds: float) -> str:
    """A duration, rounded to what can be known: `40 s`, `12 min`, `3 h 5 min`."""
    rounded = int(-(-seconds // 1))
    if rounded < _MINUTE:
        return f"{rounded} s"
    minutes = -(-rounded // _MINUTE)
    hours, rest = divmod(minutes, _MINUTE)
    return f"{hours} h {rest} min" if hours else f"{rest} min"
