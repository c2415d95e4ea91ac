"""Recognizing pictures that crashed the process, so that they do so only once.

While files are checked, their paths are in a small memory-mapped file, which outlives the process.
A crash (SIGSEGV and the like, not SIGKILL) leaves a trace beside it, written by `faulthandler`.
With both, the next run skips these files.
"""

from __future__ import annotations

import faulthandler
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from batchscan.state.lock import unwritable
from batchscan.util import system
from batchscan.util.private_files import open_private

MARKS = "checking"
CRASH_LOG = "crash.log"
SLOTS = 64
SLOT_BYTES = 4096 + 2  # the longest path, and its length
_BYTES = SLOTS * SLOT_BYTES
_UNUSED = b"\0\0"  # a length


class CrashMarks:
    """Marks files while they are being checked, at most `SLOTS` at once; for one thread.

    `suspects` has the paths that were marked when the last run crashed, with surrogate escapes.
    """

    def __init__(self, state: Path) -> None:
        """Read the marks of a crashed run, then clear them.

        Raises:
            StorageError: the state folder cannot be written.
        """
        try:
            self.suspects = _suspects(state)
            self._map = _cleared(state)
            if (state / CRASH_LOG).exists():
                with open(state / CRASH_LOG, "r+b", opener=_private) as trace:
                    trace.truncate(0)
        except OSError as error:
            raise unwritable(state, error) from error
        self._free = list(range(SLOTS))

    @contextmanager
    def checking(self, path: str) -> Iterator[None]:
        """Mark a file during the block; without a mark if all slots are in use."""
        raw = os.fsencode(path)
        if not self._free or len(raw) > SLOT_BYTES - 2:
            yield
            return
        start = self._free.pop() * SLOT_BYTES
        self._map[start : start + 2 + len(raw)] = len(raw).to_bytes(2, "big") + raw
        try:
            yield
        finally:
            self._map[start : start + 2] = _UNUSED
            self._free.append(start // SLOT_BYTES)

    def close(self) -> None:
        """Close the memory-mapped file; the marks in it stay."""
        self._map.close()


@contextmanager
def crash_trace(state: Path) -> Iterator[None]:
    """Let `faulthandler` write to `crash.log` if a signal such as SIGSEGV ends this process.

    Only for commands: the handler applies to the whole process during the block.
    """
    try:
        # Appending: the trace of the last run is still to be read.
        file = open(state / CRASH_LOG, "ab", opener=_private)  # noqa: SIM115 - closed below
    except OSError:
        yield  # opening the state folder will report the error
        return
    with file:
        faulthandler.enable(file)
        try:
            yield
        finally:
            faulthandler.disable()


def _suspects(state: Path) -> frozenset[str]:
    try:
        if not (state / CRASH_LOG).stat().st_size:
            return frozenset()
        marks = (state / MARKS).read_bytes()
    except FileNotFoundError:
        return frozenset()  # no run crashed here
    paths = []
    for start in range(0, len(marks), SLOT_BYTES):
        length = int.from_bytes(marks[start : start + 2], "big")
        paths.append(os.fsdecode(marks[start + 2 : start + 2 + length]))
    return frozenset(filter(None, paths))


def _cleared(state: Path) -> mmap.mmap:
    """Map the file of marks with all marks cleared; only set ones are written."""
    with open(state / MARKS, "r+b", opener=_created) as file:
        file_stat = os.fstat(file.fileno())
        if file_stat.st_size != _BYTES or file_stat.st_blocks * 512 < _BYTES:
            file.truncate(0)
            file.write(bytes(_BYTES))  # a hole on a full disk would show as SIGBUS
            file.flush()
        marks = mmap.mmap(file.fileno(), _BYTES)
    for start in range(0, _BYTES, SLOT_BYTES):
        if marks[start : start + 2] != _UNUSED:
            marks[start : start + 2] = _UNUSED
    return marks


def _created(path: str, flags: int) -> int:
    return _private(path, flags | os.O_CREAT)


def _private(path: str, flags: int) -> int:
    return open_private(path, flags | system.O_NOFOLLOW)  # not where a link leads
