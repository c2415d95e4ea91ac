"""Processes of `batchscan` that are forks of one that has loaded its modules."""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import signal
import socket
import subprocess
import sys
from asyncio.subprocess import PIPE
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from functools import cache
from typing import Any

from tests.support import fork_server
from tests.support.skipping import Skipping

# A fork of a process of several threads has but one, so numpy is not to start any.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "OPENBLAS_NUM_THREADS": "1"}
# No module looks at them while it is loaded; the last one is done by the server.
READ_LATER = (
    "BATCHSCAN_", "COPYLEAKS_", "HOME", "HOOK", "HTTPS_PROXY", "NO_COLOR", "PATH", "PYTHONDONTWRITEBYTECODE",
)  # fmt: skip


class Fork:
    """What tests use of `asyncio.subprocess.Process`."""

    def __init__(
        self,
        pid: int,
        report: asyncio.StreamReader,
        stdout: asyncio.StreamReader,
        stderr: asyncio.StreamReader,
    ) -> None:
        self.pid = pid
        self.stdout = stdout
        self.stderr = stderr
        self.returncode: int | None = None
        self._ended = asyncio.ensure_future(self._follow(report))

    async def _follow(self, report: asyncio.StreamReader) -> int:
        self.returncode = int(await report.read())
        return self.returncode

    async def wait(self) -> int:
        return await asyncio.shield(self._ended)

    async def communicate(self) -> tuple[bytes, bytes]:
        out, err, _ = await asyncio.gather(self.stdout.read(), self.stderr.read(), self.wait())
        return out, err

    def send_signal(self, signum: int) -> None:
        if self.returncode is not None:
            raise ProcessLookupError
        with suppress(ProcessLookupError):  # its end is not reported yet
            os.kill(self.pid, signum)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def forkable(environment: Mapping[str, str]) -> bool:
    """Whether a fork is as good as a process that starts in this environment.

    Coverage's variables say no: it follows processes from their start.
    """
    return hasattr(os, "pidfd_open") and all(
        name.startswith(READ_LATER) or ENVIRONMENT.get(name) == value
        for name, value in environment.items()
    )


async def fork(
    words: tuple[str, ...],
    environment: Mapping[str, str],
    *,
    folder: str = "/",
    program: str = "",
    stdout: int = PIPE,
    stderr: int = PIPE,
) -> Fork:
    """Fork a process for these words, whose stdin is empty.

    Args:
        words: what follows the program on the command line.
        environment: the whole of it.
        folder: where it is.
        program: the file of one that is run instead of `batchscan`.
        stdout: a descriptor instead of a pipe.
        stderr: the same.
    """
    request = {"words": words, "environment": environment, "folder": folder, "program": program}
    skipping: Skipping | None = getattr(asyncio.get_running_loop(), "skipping", None)
    with skipping.starting() if skipping else nullcontext():
        process = await _forked(request, stdout, stderr)
        if skipping:
            skipping.follow(lambda: process.returncode)
    return process


def run_command(
    words: Sequence[str], environment: Mapping[str, str], folder: str
) -> subprocess.CompletedProcess[str]:
    """Run `batchscan` with these words in a folder, in a fork where one is as good."""
    if not forkable(environment):
        return subprocess.run(
            [sys.executable, "-m", "batchscan", *words], env=environment, cwd=folder,
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
    request = {"words": words, "environment": environment, "folder": folder, "program": ""}
    with ThreadPoolExecutor(3) as readers:
        out, err, report = readers.map(_read, _requested(request, PIPE, PIPE))
    _, code = report.split()
    return subprocess.CompletedProcess(words, int(code), out, err)


def _read(descriptor: int) -> str:
    with open(descriptor, encoding="utf-8") as pipe:
        return pipe.read()


async def _forked(request: Mapping[str, Any], stdout: int, stderr: int) -> Fork:
    pipes = _requested(request, stdout, stderr)
    out, err, report = [await _reader(reading) for reading in pipes]
    return Fork(int(await report.readline()), report, out, err)


def _requested(request: Mapping[str, Any], stdout: int, stderr: int) -> list[int]:
    """Ask for a fork; the ends of its stdout, its stderr and the reports about it.

    An end is that of a pipe without anything in it where a descriptor was given.
    """
    pipes = [os.pipe() for _ in range(3)]
    writing = [end for _, end in pipes]
    streams = [end if given == PIPE else given
               for end, given in zip(writing, (stdout, stderr, PIPE), strict=True)]  # fmt: skip
    message = json.dumps(request).encode()
    assert len(message) <= fork_server.LONGEST
    socket.send_fds(_server(), [message], streams)
    for end in writing:
        os.close(end)
    return [reading for reading, _ in pipes]


async def _reader(descriptor: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", 0)
    )
    return reader


@cache
def _server() -> socket.socket:
    """What takes requests of this process, until it ends."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        command = [sys.executable, "-P", fork_server.__file__, str(theirs.fileno())]
        process = subprocess.Popen(
            command, env=ENVIRONMENT, cwd="/", pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip
    atexit.register(process.wait)
    atexit.register(ours.close)  # is done first, and ends the process
    return ours
