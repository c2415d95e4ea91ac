"""The exception tree.

    BatchscanError                      anything we can explain; carries its exit code and advice
    ├── UsageError                 2    flags, settings, credentials, a path that is not there
    ├── LockedError                7    another run holds the state folder
    └── StopRun                         ends a run under way: the remaining files are deferred
        ├── AuthRefused            4    the login was refused
        ├── LimitReached           5    own budget, limit or duration
        ├── NoCredits              6    the account is out of credits
        ├── Unavailable            8    the API stayed away, or is not at this address
        ├── StorageError           9    state or output cannot be written
        │   └── OutOfMemory        9    or kept in memory
        └── Interrupted     129/130/143 a signal

A problem with one file is not raised: it becomes that file's outcome (`batchscan.model`).
"""

from __future__ import annotations

import errno
import signal
from typing import ClassVar

from batchscan.enums import DeferReason, ExitReason

CONTINUE_FORCED = (
    "run it with --rescan-after 1d in place of --force to continue; --force pays again for what "
    "this run has asked about"
)
CONTINUE = "run the same command again to continue"  # the advice where a run stopped early


class BatchscanError(Exception):
    """The root of everything that batchscan raises on purpose.

    `str(error)` says what happened and to what; `advice` says what to do about it.
    """

    exit_code: ClassVar[int] = 1
    exit_reason: ClassVar[ExitReason] = ExitReason.INTERNAL_ERROR

    def __init__(self, message: str, *, advice: str | None = None) -> None:
        super().__init__(message)
        self.advice = advice

    def __str__(self) -> str:
        return str(self.args[0])


class UsageError(BatchscanError):
    """Flags, settings, credentials or paths are wrong; nothing was sent."""

    exit_code = 2
    exit_reason = ExitReason.USAGE


class LockedError(BatchscanError):
    """Another run holds the state folder."""

    exit_code = 7
    exit_reason = ExitReason.LOCKED


class StopRun(BatchscanError):
    """Ends a run that is under way: uploads settle, the remaining files are deferred."""

    deferral: ClassVar[DeferReason] = DeferReason.INTERRUPTED

    @property
    def defer_reason(self) -> DeferReason:
        """The reason given for the pictures that were not tried because of this stop."""
        return self.deferral

    @property
    def code(self) -> int:
        """The process's exit code."""
        return self.exit_code


class AuthRefused(StopRun):
    """The vendor refused the login, or the account may not use the API."""

    exit_code = 4
    exit_reason = ExitReason.AUTH
    deferral = DeferReason.AUTH


class NoCredits(StopRun):
    """The account is out of credits."""

    exit_code = 6
    exit_reason = ExitReason.NO_CREDITS
    deferral = DeferReason.CREDITS


class LimitReached(StopRun):
    """The user's own budget, limit or duration is used up, and work remains."""

    exit_code = 5
    exit_reason = ExitReason.LIMIT

    def __init__(self, message: str, *, reason: DeferReason, advice: str | None = None) -> None:
        super().__init__(message, advice=advice)
        self._reason = reason

    @property
    def defer_reason(self) -> DeferReason:
        """`budget`, `limit` or `duration`, whichever was reached."""
        return self._reason


class Unavailable(StopRun):
    """The API stayed away for longer than `--retry-for`, or is not at this address."""

    exit_code = 8
    exit_reason = ExitReason.UNAVAILABLE
    deferral = DeferReason.UNAVAILABLE


class StorageError(StopRun):
    """State or output cannot be written, or the ledger cannot be used."""

    exit_code = 9
    exit_reason = ExitReason.STORAGE


class OutOfMemory(StorageError):
    """There was not enough memory to go on."""

    def __init__(self) -> None:
        super().__init__(
            "there is not enough memory to continue",
            advice="nothing that was paid for is lost. Run the same command again to continue, "
            "with more memory (`ulimit -v`, or the limit of the service or the "
            "container), or fewer pictures at once (`-j 4`)",
        )

    @classmethod
    def behind(cls, error: BaseException) -> OutOfMemory | None:
        """The error to report if lack of memory caused this one; None if it did not."""
        seen: set[int] = set()
        cause: BaseException | None = error
        while cause is not None and id(cause) not in seen:
            if _lacks_memory(cause):
                return cls()
            seen.add(id(cause))
            cause = cause.__cause__ or cause.__context__
        return None


def _lacks_memory(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return any(map(_lacks_memory, error.exceptions))
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    # Of the loader of a library, and of the start of a thread, there are the words only.
    message = str(error) if isinstance(error, ImportError | RuntimeError) else ""
    in_message = "Cannot allocate memory" in message or "can't start new thread" in message
    return isinstance(error, MemoryError) or in_message


class Interrupted(StopRun):
    """A signal asked the run to stop."""

    exit_reason = ExitReason.INTERRUPTED

    def __init__(self, signum: int = signal.SIGINT) -> None:
        super().__init__(
            f"stopped by {signal.Signals(signum).name}",
            advice=CONTINUE,
        )
        self.signum = signum

    @property
    def code(self) -> int:
        """128 plus the signal's number, as in shells."""
        return 128 + self.signum
