"""The parent's side of one decoder process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Final

import msgspec

from batchscan.images.decoding.messages import (
    GO,
    MAX_PAYLOAD,
    DecoderReply,
    DecoderRequest,
    receive,
    receive_json,
    send_json,
)
from batchscan.util.weighted_semaphore import WeightedSemaphore

# -P: nothing is imported from the working folder. Not `multiprocessing`, which runs the main
# module again and so needs a guard there.
COMMAND: Final = (sys.executable, "-P", "-m", "batchscan.images.decoding.child")

# What Python and shared libraries need to be found; no credentials.
_ENVIRONMENT: Final = (
    "PATH", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV",
    "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH",
)  # fmt: skip
# Each thread of a library, and each of malloc's arenas, takes address space, which is limited.
_FEW_THREADS: Final = {
    "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2",
}  # fmt: skip
_LATER: Final = 5  # seconds after which the child's own alarm comes, when ours did nothing


class DecoderDied(Exception):
    """The process ended, or was killed, without a reply; this says nothing about the file."""


@dataclass(frozen=True, slots=True)
class FileSource:
    """The file to decode: its bytes, or a descriptor that is open for reading."""

    data: bytes | None = None
    descriptor: int | None = None

    def request(self, request: DecoderRequest) -> DecoderRequest:
        """The request for this source."""
        size = None if self.data is None else len(self.data)
        return msgspec.structs.replace(request, bytes=size)


class DecoderProcess:
    """One child process, started for its first file and again after it died; not thread-safe."""

    def __init__(self, command: Sequence[str], seconds: float) -> None:
        self._command = command
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None
        self._closed = threading.Event()

    @property
    def pid(self) -> int | None:
        """The child's process id, while there is one."""
        process = self._process
        return process.pid if process else None

    def ask(
        self, request: DecoderRequest, source: FileSource, pixels: WeightedSemaphore
    ) -> tuple[DecoderReply, bytes]:
        """Send one request; returns the reply, and the JPEG if one was made.

        Raises:
            DecoderDied: it crashed, took too long, or could not be started.
        """
        process, connection = self._running()
        request = msgspec.structs.replace(
            source.request(request), seconds=int(self._seconds) + _LATER
        )
        overdue = threading.Event()
        with ExitStack() as held:
            try:
                with self._timer(process, overdue):
                    _send(connection, request, source)
                    reply = _reply(connection)
                if reply.admit is not None:
                    held.enter_context(pixels.hold(reply.admit))
                    with self._timer(process, overdue):
                        reply = self._admitted(connection, reply, held, pixels)
                with self._timer(process, overdue):
                    return reply, _payload(connection, reply)
            except (OSError, ValueError, msgspec.MsgspecError) as error:
                raise DecoderDied(self._bury(process, overdue=overdue.is_set())) from error

    def kill(self) -> None:
        """End the child, also in the middle of a file, and start no other."""
        self._closed.set()
        process = self._process
        if process:
            process.kill()

    def reap(self) -> None:
        """Wait for the end of a killed child."""
        if self._process:
            self._bury(self._process, overdue=False)

    def _admitted(
        self,
        connection: socket.socket,
        reply: DecoderReply,
        held: ExitStack,
        pixels: WeightedSemaphore,
    ) -> DecoderReply:
        """Let the child decode; a file that contains another, larger picture waits once more."""
        weight = reply.admit or 0
        connection.sendall(GO)
        reply = _reply(connection)
        while reply.admit is not None:
            held.close()
            weight = max(weight, reply.admit)
            held.enter_context(pixels.hold(weight))
            connection.sendall(GO)
            reply = _reply(connection)
        return reply

    @contextmanager
    def _timer(self, process: subprocess.Popen[bytes], overdue: threading.Event) -> Iterator[None]:
        timer = threading.Timer(self._seconds, _end, (process, overdue))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _running(self) -> tuple[subprocess.Popen[bytes], socket.socket]:
        if self._closed.is_set():
            raise DecoderDied("the decoder is closed")
        if self._process and self._process.poll() is not None:
            self._bury(self._process, overdue=False)  # it died between two files
        if self._process is None or self._connection is None:
            try:
                self._process, self._connection = _start(self._command)
            except OSError as error:
                raise DecoderDied(f"the decoder could not be started: {error}") from error
            if self._closed.is_set():  # closed meanwhile: nothing else would end it
                self._process.kill()
        return self._process, self._connection

    def _bury(self, process: subprocess.Popen[bytes], *, overdue: bool) -> str:
        """Reap a child that is not used any more; returns how it ended."""
        connection, self._process, self._connection = self._connection, None, None
        process.kill()
        code = process.wait()
        if connection:
            connection.close()
        if overdue:
            return f"the decoder took longer than {self._seconds:g} s"
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        return f"the decoder ended without an answer ({how})"


def _start(command: Sequence[str]) -> tuple[subprocess.Popen[bytes], socket.socket]:
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            process: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603 - our own module
                command,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # decoders print remarks on damaged files there
                env=environment | _FEW_THREADS,
                process_group=0,  # Ctrl-C is for the parent; the child ends with the connection
            )
        except BaseException:
            ours.close()
            raise
    return process, ours


def _send(connection: socket.socket, request: DecoderRequest, source: FileSource) -> None:
    send_json(connection, request)
    if source.data is not None:
        connection.sendall(source.data)
    elif source.descriptor is not None:
        with suppress(OSError):
            os.lseek(source.descriptor, 0, os.SEEK_SET)
        socket.send_fds(connection, [b"f"], [source.descriptor])


def _reply(connection: socket.socket) -> DecoderReply:
    text = receive_json(connection)
    if text is None:
        raise ConnectionResetError("the decoder is gone")
    return msgspec.json.decode(text, type=DecoderReply)


def _payload(connection: socket.socket, reply: DecoderReply) -> bytes:
    if reply.bytes > MAX_PAYLOAD:
        raise ValueError("the reply is too long")
    data = receive(connection, reply.bytes) if reply.bytes else b""
    if data is None:
        raise ConnectionResetError("the decoder is gone")
    return data


def _end(process: subprocess.Popen[bytes], overdue: threading.Event) -> None:
    overdue.set()
    process.kill()
