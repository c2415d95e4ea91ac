"""The run's one reason to stop, and how everything that waits learns of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from batchscan.enums import DeferReason
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


class Shutdown:
    """Set once a step has raised what must end the run; what is under way then settles.

    Own limits stop the run gently: what they had let in is still sent. Everything else halts it:
    no further request leaves.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._halted = asyncio.Event()
        self._listeners: list[Callable[[], None]] = []
        self.reason: StopRun | None = None
        self.storage_failed = False  # whatever the reason is
        self.bug: Exception | None = None  # something nobody expected: exit 1, after settling
        self.urgent = asyncio.Event()  # set by a signal, also by one that comes after the end
        self._ended = False

    def __bool__(self) -> bool:
        return self.reason is not None or self.bug is not None

    def on_halt(self, listener: Callable[[], None]) -> None:
        """Have `listener` called when nothing more may be sent, so that what waits wakes up."""
        self._listeners.append(listener)

    def request(self, reason: StopRun) -> None:
        """Stop the run, or add a graver reason; one that has ended can only be hurried."""
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
        """The run's exit code is being written down: only a disk that fails can change it."""
        self._ended = True

    def request_for_bug(self, bug: Exception) -> None:
        """Stop the run after an error that nobody expected."""
        self.bug = self.bug or bug
        self._halt()

    @property
    def leaves_open(self) -> bool:
        """Whether the run's files may lack what the ledger knows: the next run makes them again."""
        return self.storage_failed or self.bug is not None

    @property
    def immediate(self) -> bool:
        """Whether even looking at the remaining files would be against the reason."""
        return self.bug is not None or isinstance(self.reason, Interrupted | StorageError)

    def raise_if_stopping(self) -> None:
        """Begin with another picture only while the run goes on.

        Raises:
            StopRun: the run's reason to stop.
        """
        if self:
            raise self.reason or Interrupted()

    def raise_if_halted(self) -> None:
        """Send another request only while that is allowed.

        Raises:
            StopRun: the run's reason to stop.
        """
        if self._halted.is_set():
            raise self.reason or Interrupted()

    async def sleep(self, seconds: float) -> None:
        """Wait, or until nothing more may be sent.

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
