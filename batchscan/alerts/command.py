"""The command target: gets the message on stdin; no shell, and none of our secrets."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import IO

from batchscan.alerts.interface import DeliveryFailure, RetryPolicy
from batchscan.copyleaks.error_table import clean
from batchscan.errors import UsageError
from batchscan.settings import Alerts
from batchscan.settings.model_groups import secret_variables
from batchscan.util import system

SECONDS = 60.0
_KEPT = 250  # bytes of its last words
_LINGER = 0.5  # seconds for them to arrive


def open_targets(
    alerts: Alerts,
    environ: Mapping[str, str],
    now: Callable[[], float],  # noqa: ARG001 - as all kinds of targets
) -> Iterator[CommandTarget]:
    """The command that settings name.

    Raises:
        UsageError: it is not there, or cannot be run.
    """
    command, *arguments = alerts.on_new
    path = shutil.which(command, path=environ.get("PATH"))
    if path is None:
        raise UsageError(
            f"alerts.on_new: {command!r} does not exist or cannot be run",
            advice="write the whole path of the command; cron and systemd search few folders",
        )
    secrets = {"COPYLEAKS_API_KEY", *secret_variables(alerts)}
    around = {name: value for name, value in environ.items() if name not in secrets}
    yield CommandTarget((path, *arguments), around)


class CommandTarget:
    """Runs a command for each message.

    Args:
        words: its path and arguments.
        environment: its environment variables.
    """

    name = "command"
    seconds = SECONDS

    def __init__(self, words: Sequence[str], environment: Mapping[str, str]) -> None:
        self._words = tuple(words)
        self._environment = dict(environment)

    async def send(self, message_id: str, body: bytes) -> DeliveryFailure | None:  # noqa: ARG002 - the body has it
        """Run the command once; 0 means that the message was delivered."""
        try:
            # Files of our own and not the loop's pipes, which stay until everything that the
            # command leaves running has closed them.
            with _holding(body) as message:
                async with _listening() as (stderr, words):
                    code = await self._run(message, stderr)
                    return None if code == 0 else DeliveryFailure(_ended(code, await words.last()))
        except OSError as error:
            return DeliveryFailure(
                f"the command cannot be started: {error.strerror}", RetryPolicy.NEXT_RUN
            )

    async def _run(self, stdin: IO[bytes], stderr: IO[bytes]) -> int:
        process = await asyncio.create_subprocess_exec(
            *self._words,
            stdin=stdin,
            stdout=asyncio.subprocess.DEVNULL,  # ours holds data only
            stderr=stderr,
            env=self._environment,
            start_new_session=True,  # Ctrl-C is for us; and all of it can be ended
        )
        stderr.close()
        try:
            return await process.wait()
        finally:
            if process.returncode is None:  # it took too long
                with suppress(ProcessLookupError):
                    system.end_group(process.pid)
                await process.wait()


class _StderrTail:
    """Reads a command's stderr, and keeps its end."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._end = b""
        self.listening = asyncio.create_task(self._listen(reader))

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while chunk := await reader.read(65_536):
            self._end = (self._end + chunk)[-_KEPT:]

    async def last(self) -> str:
        """The end of the output so far, on one line."""
        await asyncio.wait([self.listening], timeout=_LINGER)
        return clean(self._end.decode("utf-8", "replace"))


@asynccontextmanager
async def _listening() -> AsyncIterator[tuple[IO[bytes], _StderrTail]]:
    """A pipe to write to, and what was written last."""
    reader = asyncio.StreamReader()
    read_end, write_end = os.pipe()
    with os.fdopen(write_end, "wb", 0) as stderr, os.fdopen(read_end, "rb", 0) as pipe:
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), pipe
        )
        words = _StderrTail(reader)
        try:
            yield stderr, words
        finally:
            words.listening.cancel()
            transport.close()


def _holding(body: bytes) -> IO[bytes]:
    """An unnamed file with a message, positioned at its start."""
    in_memory = getattr(os, "memfd_create", None)  # Linux: also where no folder can be written
    file: IO[bytes] = (
        open(in_memory("message"), "w+b") if in_memory else tempfile.TemporaryFile()  # noqa: SIM115
    )
    file.write(body)
    file.seek(0)
    return file


def _ended(code: int, message: str) -> str:
    how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
    return f"{how}: {message}" if message else how
