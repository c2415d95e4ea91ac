"""The parent's side of the process that decodes camera RAW."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, Final, cast

import msgspec

from batchscan.images.raw_report import MAX_REPLY, REQUEST, RawReport, Wanted

SECONDS: Final = 60.0
"""How long one picture may take."""

# -P: nothing is imported from the working folder. Not `multiprocessing`, which runs the main
# module again and so asks programs for a guard there.
_COMMAND: Final = (sys.executable, "-P", "-m", "batchscan.images.raw_child")

# What Python and shared libraries need to be found; no credentials travel along.
_ENVIRONMENT: Final = (
    "PATH", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV",
    "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH",
)  # fmt: skip
_ONE_THREAD: Final = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # each takes memory


class RawProcessDied(Exception):
    """The process ended, or was ended, without an answer; that says nothing about the file."""


class RawProcess:
    """One child process, started for the first RAW and again after it died.

    May be shared by threads: they take turns. `command` and `seconds` are for tests.
    """

    def __init__(self, command: Sequence[str] = _COMMAND, seconds: float = SECONDS) -> None:
        self._command = command
        self._seconds = seconds
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The child's process id, while there is one."""
        process = self._process
        return process.pid if process else None

    def examine(self, data: bytes, *, unpack: bool, max_pixels: int) -> RawReport:
        """Have one file looked at.

        Raises:
            RawProcessDied: it crashed, took too long, or could not be started.
        """
        return self._ask(Wanted.SENSOR if unpack else Wanted.HEADER, data, max_pixels)

    def preview(self, data: bytes, *, max_pixels: int) -> bytes | None:
        """Have a thumbnail made of the preview in one file; None where that has none of use.

        Raises:
            RawProcessDied: it crashed, took too long, or could not be started.
        """
        return self._ask(Wanted.PREVIEW, data, max_pixels).thumbnail

    def _ask(self, wanted: Wanted, data: bytes, max_pixels: int) -> RawReport:
        seconds = int(self._seconds) + 5  # the child's own alarm comes after ours
        request = REQUEST.pack(wanted, seconds, max_pixels, len(data))
        with self._turn:
            process = self._running()
            overdue = threading.Event()
            timer = threading.Timer(self._seconds, _end, (process, overdue))
            timer.daemon = True
            timer.start()
            try:
                reply = _exchange(process, request, data)
            finally:
                timer.cancel()
            if reply is None:
                raise RawProcessDied(self._bury(process, overdue=overdue.is_set()))
            return reply

    def close(self) -> None:
        """End the child, also in the middle of a picture; it holds nothing worth keeping."""
        self._closed = True
        process = self._process
        if process:
            process.kill()
        with self._turn:
            if self._process:
                self._bury(self._process, overdue=False)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._closed:
            raise RawProcessDied("the RAW decoder is closed")
        if self._process and self._process.poll() is not None:
            self._bury(self._process, overdue=False)  # it died between two pictures: nobody's fault
        if self._process is None:
            try:
                self._process = _start(self._command)
            except OSError as error:
                raise RawProcessDied(f"the RAW decoder could not be started: {error}") from error
        return self._process

    def _bury(self, process: subprocess.Popen[bytes], *, overdue: bool) -> str:
        """Reap a child that is of no more use, and say how it ended."""
        self._process = None
        process.kill()
        code = process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                with suppress(OSError):  # bytes that it did not take any more
                    pipe.close()
        if overdue:
            return f"the RAW decoder took longer than {self._seconds:g} s"
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        return f"the RAW decoder ended without an answer ({how})"


def _start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # LibRaw remarks on damaged files there
        env=environment | _ONE_THREAD,
        process_group=0,  # Ctrl-C is for us; the child ends when its stdin does
    )


def _exchange(process: subprocess.Popen[bytes], request: bytes, data: bytes) -> RawReport | None:
    """Ask once; None when the child is gone or talks nonsense."""
    # Typed as optional, but `_start` asks for both pipes.
    to_child, from_child = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
    try:
        to_child.write(request)
        to_child.write(data)
        to_child.flush()
        return msgspec.json.decode(from_child.readline(MAX_REPLY), type=RawReport)
    except (OSError, msgspec.DecodeError):
        return None


def _end(process: subprocess.Popen[bytes], overdue: threading.Event) -> None:
    overdue.set()
    process.kill()
