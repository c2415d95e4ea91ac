"""The run's one reason to stop, and how everything that waits hears of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from batchscan.errors import (
    AuthRefused,
    Interrupted,
    LimitReached,
    NoCredits,
    StopRun,
    StorageError,
    Unavailable,
)
from batchscan.pace import Clock

# Where several hold, the first of these is the run's exit code (the contract's order).
_SEVERITY: tuple[type[StopRun], ...] = (
    Interrupted,
    StorageError,
    AuthRefused,
    NoCredits,
    Unavailable,
    LimitReached,
)


class Stop:
    """Set once a step has raised what must end the run; uploads under way then settle."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._event = asyncio.Event()
        self._listeners: list[Callable[[], None]] = []
        self.reason: StopRun | None = None
        self.bug: Exception | None = None  # something nobody expected: exit 1, after settling

    def __bool__(self) -> bool:
        return self._event.is_set()

    def on_stop(self, listener: Callable[[], None]) -> None:
        """Have `listener` called when the run stops, so that what waits wakes up."""
        self._listeners.append(listener)

    def because(self, reason: StopRun) -> None:
        """Stop the run, or add a graver reason."""
        if self.reason is None or _severity(reason) < _severity(self.reason):
            self.reason = reason
        self._set()

    def because_of_bug(self, bug: Exception) -> None:
        """Stop the run after an error that nobody expected."""
        self.bug = self.bug or bug
        self._set()

    @property
    def at_once(self) -> bool:
        """Whether even looking at the remaining files would be against the reason."""
        return self.bug is not None or isinstance(self.reason, Interrupted | StorageError)

    def check(self) -> None:
        """Go on only while the run does.

        Raises:
            StopRun: the run's reason to stop.
        """
        if self._event.is_set():
            raise self.reason or Interrupted()

    async def sleep(self, seconds: float) -> None:
        """Wait, or until the run stops.

        Raises:
            StopRun: the run's reason to stop.
        """
        await self._clock.wait(self._event, seconds)
        self.check()

    def _set(self) -> None:
        self._event.set()
        for listener in self._listeners:
            listener()


def _severity(reason: StopRun) -> int:
    return next(n for n, kind in enumerate(_SEVERITY) if isinstance(reason, kind))
