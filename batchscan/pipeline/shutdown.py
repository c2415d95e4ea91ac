"""Stopping a run: its reason, and waking everything that waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from batchscan.enums import DeferReason
from batchscan.errors import (
    CONTINUE,
    CONTINUE_FORCED,
    AuthRefused,
    BatchscanError,
    Interrupted,
    LimitReached,
    NoCredits,
    StopRun,
    StorageError,
    Unavailable,
)
from batchscan.pace import Clock

# If several reasons apply, the first of these decides the exit code (the documented order).
_SEVERITY: tuple[type[StopRun], ...] = (
    Interrupted,
    StorageError,
    AuthRefused,
    NoCredits,
    Unavailable,
    LimitReached,
)


class Shutdown:
    """Set when an error must end the run; requests in flight then settle.

    Own limits stop the run gently: pictures that they have admitted are still sent. Any other
    reason halts it: no further request is sent.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._halted = asyncio.Event()
        self._listeners: list[Callable[[], None]] = []
        self.reason: StopRun | None = None
        self.storage_failed = False  # even if the reason is another one
        self.bug: Exception | None = None  # an unexpected error: exit 1, after settling
        self.urgent = asyncio.Event()  # set by a signal, even after `freeze`
        self._ended = False

    def __bool__(self) -> bool:
        return self.reason is not None or self.bug is not None

    def on_halt(self, listener: Callable[[], None]) -> None:
        """Call `listener` when the run halts, to wake up what waits."""
        self._listeners.append(listener)

    def request(self, reason: StopRun) -> None:
        """Stop the run, or give a graver reason; after `freeze` only `urgent` can change."""
        if isinstance(reason, Interrupted):
            self.urgent.set()
        if self._ended and not isinstance(reason, StorageError):
            return
        self.storage_failed |= isinstance(reason, StorageError)
        if self.reason is None or _severity(reason) < _severity(self.reason):
            self.reason = reason
        if not _is_gentle(reason):
            self._halt()

    def freeze(self) -> None:
        """Fix the exit code, as it is being written; only a failing disk can still change it."""
        self._ended = True

    def advise_against_force(self) -> None:
        """Change the advice for a run with --force, which would begin again and pay again."""
        if self.reason is not None:
            advice = self.reason.advice or CONTINUE
            changed = advice.replace(CONTINUE, CONTINUE_FORCED)
            self.reason.advice = f"{advice}; {CONTINUE_FORCED}" if changed == advice else changed

    def request_for_bug(self, bug: Exception) -> None:
        """Stop the run after an unexpected error."""
        self.bug = self.bug or bug
        self._halt()

    @property
    def explained(self) -> BatchscanError | None:
        """The error that stopped the run, unless it is a bug."""
        return self.reason or (self.bug if isinstance(self.bug, BatchscanError) else None)

    @property
    def leaves_open(self) -> bool:
        """Whether the run's files may be incomplete, so that the next run rebuilds them."""
        return self.storage_failed or self.bug is not None

    @property
    def immediate(self) -> bool:
        """Whether to stop without inspecting the remaining files."""
        return self.bug is not None or isinstance(self.reason, Interrupted | StorageError)

    def raise_if_stopping(self) -> None:
        """Check before starting another picture.

        Raises:
            StopRun: the run's reason to stop.
        """
        if self:
            raise self.reason or Interrupted()

    def raise_if_halted(self) -> None:
        """Check before sending another request.

        Raises:
            StopRun: the run's reason to stop.
        """
        if self._halted.is_set():
            raise self.reason or Interrupted()

    async def sleep(self, seconds: float) -> None:
        """Wait `seconds`, or until the run halts.

        Raises:
            StopRun: the run's reason to stop.
        """
        await self._clock.wait(self._halted, seconds)
        self.raise_if_halted()

    def _halt(self) -> None:
        self._halted.set()
        for listener in self._listeners:
            listener()


def _is_gentle(reason: StopRun) -> bool:
    gentle = (DeferReason.LIMIT, DeferReason.BUDGET)
    return isinstance(reason, LimitReached) and reason.defer_reason in gentle


def _severity(reason: StopRun) -> int:
    return next(n for n, kind in enumerate(_SEVERITY) if isinstance(reason, kind))
