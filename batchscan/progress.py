"""What a run says while it goes on: a bar on a terminal, one line a minute elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NoReturn, Protocol, TextIO

if TYPE_CHECKING:
    from tqdm import tqdm

REDRAW = 0.1  # seconds between two states of the bar
SAY = 60.0  # seconds between two lines


@dataclass(frozen=True, slots=True)
class ProgressState:
    """Where a run stands; `found` is the total only once `walk_ended`."""

    found: int = 0
    walk_ended: bool = False
    done: int = 0
    sent: int = 0
    matches: int = 0
    credits: int = 0
    max_credits: int | None = None
    waiting: str | None = None  # "429 pause 12 s", "service away, probing"


class Progress(Protocol):
    """Shows states of a run; cheap to call often."""

    def update(self, state: ProgressState) -> None:
        """Show a state, unless one was shown just before."""
        ...

    def close(self) -> None:
        """Stop showing, and leave the terminal as it was found."""
        ...


def create(
    mode: Literal["auto", "plain", "none"],
    stream: TextIO,
    *,
    quiet: bool = False,
    clock: Callable[[], float] = time.monotonic,
) -> Progress:
    """Choose how to show progress: a bar for `auto` on a terminal, lines for the rest."""
    if quiet or mode == "none":
        return Silent()
    if mode == "auto" and stream.isatty():
        return Bar(stream, clock)
    return Lines(stream, clock)


class Silent:
    """Says nothing."""

    def update(self, state: ProgressState) -> None:
        """Say nothing."""

    def close(self) -> None:
        """Say nothing."""


class Lines:
    """Says one plain line a minute; a run of less than a minute says nothing."""

    def __init__(self, stream: TextIO, clock: Callable[[], float]) -> None:
        self._stream = stream
        self._clock = clock
        self._said = clock()
        self._done = 0

    def update(self, state: ProgressState) -> None:
        """Say a line when the last one is a minute old."""
        now = self._clock()
        if now - self._said < SAY:
            return
        rate = (state.done - self._done) / (now - self._said)
        self._said, self._done = now, state.done
        total = f" of {state.found:,}" if state.walk_ended else f", {state.found:,} found so far"
        self._stream.write(f"{state.done:,} done{total}, {rate:.1f}/s, {described(state)}\n")
        self._stream.flush()

    def close(self) -> None:
        """Nothing is left behind by a line."""


class Bar:
    """Draws a bar ten times a second at most; without a total until the walk has ended."""

    def __init__(self, stream: TextIO, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._next = float("-inf")
        self._last: ProgressState | None = None
        self._bar = _tqdm(stream)

    def update(self, state: ProgressState) -> None:
        """Redraw, unless that was done just before."""
        self._last = state
        now = self._clock()
        if now >= self._next:
            self._next = now + REDRAW
            self._draw(state)

    def close(self) -> None:
        """Draw the last state once more, then take the bar away."""
        if self._last is not None:
            self._draw(self._last)
        self._bar.close()

    def _draw(self, state: ProgressState) -> None:
        bar = self._bar
        if state.walk_ended:
            bar.total = state.found
        found = "" if state.walk_ended else f"{state.found:,} found, "
        bar.set_postfix_str(found + described(state), refresh=False)
        bar.update(state.done - bar.n)


def _tqdm(stream: TextIO) -> tqdm[NoReturn]:
    from tqdm import tqdm  # noqa: PLC0415 - only a terminal needs it

    class Unwatched(tqdm):  # type: ignore[type-arg]
        monitor_interval = 0  # no thread that watches the timing: `Bar` alone decides when to draw

    # tqdm's own lock works between processes, for which some systems start a helper process.
    Unwatched.set_lock(threading.RLock())
    # No least time or step between two drawings either, so that each update draws.
    return Unwatched(
        file=stream, unit="img", mininterval=0, miniters=0, dynamic_ncols=True, leave=False
    )


def described(state: ProgressState) -> str:
    """Say what stands beside the count: matches, money, and what is waited for."""
    limit = "" if state.max_credits is None else f"/{state.max_credits:,}"
    parts = [f"{state.matches:,} matches", f"{state.credits:,}{limit} credits"]
    if state.waiting:
        parts.append(state.waiting)
    return ", ".join(parts)
