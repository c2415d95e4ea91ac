"""`--log-file`: private, rotated by size, and without effect on the run if its disk fails."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler

from batchscan.util import system
from batchscan.util.private_files import open_private

MAX_BYTES = 10_000_000  # bytes
KEPT = 5  # older files: FILE.1 is the newest of them

_log = logging.getLogger(__name__)


class LogFile(RotatingFileHandler):
    """Appends to a file; a large one is renamed to `FILE.1`, and a new one is started.

    Other runs that write to the same file follow a rotation.
    """

    def __init__(self, path: str, largest: int = MAX_BYTES) -> None:
        """Open or create the file.

        Raises:
            OSError: it cannot be opened.
        """
        self._reported = False
        super().__init__(
            path, maxBytes=largest, backupCount=KEPT, encoding="utf-8", errors="backslashreplace"
        )

    def _open(self) -> TextIOWrapper:
        """Open the file; a new one has mode 0600, independent of the umask."""
        return open(
            self.baseFilename, "a", encoding=self.encoding, errors=self.errors, opener=_private
        )

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            self._follow()
        except OSError:
            self.handleError(record)
        else:
            super().emit(record)

    def doRollover(self) -> None:  # noqa: N802 - logging's own name
        """Rotate the file; if its folder does not allow that, it keeps growing."""
        try:
            super().doRollover()
        except OSError as error:
            self.maxBytes = 0
            self.stream = self._open()
            _log.warning("%s cannot be renamed: %s", self.baseFilename, error.strerror)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - logging's own
        """Warn once that lines are lost; the run continues."""
        if not self._reported:
            self._reported = True  # first: the warning is logged here too
            _log.warning("%s cannot be written: log lines are lost", self.baseFilename)

    def close(self) -> None:
        """Close the file; lines that do not fit on a full disk are lost."""
        with suppress(OSError):
            super().close()

    def _follow(self) -> None:
        """Open the file again if another run or logrotate has renamed it."""
        if self.stream is None:
            return
        try:
            status = os.stat(self.baseFilename)
        except FileNotFoundError:
            status = None
        if status is None or not os.path.samestat(status, os.fstat(self.stream.fileno())):
            self.stream.close()
            self.stream = self._open()


def _private(path: str, flags: int) -> int:
    try:
        return open_private(path, flags | os.O_EXCL)
    except FileExistsError:
        return os.open(path, flags | system.O_CLOEXEC, 0o600)
