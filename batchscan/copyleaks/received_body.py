"""The body of a response as it arrives: in memory, or if it is long in a file without a name.

So a long answer is received at once, however many others are, and kept where memory does not grow
with it: were it left in its socket until it has its turn, the service might give up and close.
"""

from __future__ import annotations

import asyncio
import io
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, Self

SHORT_ANSWER = 1024 * 1024  # bytes after decompression that stay in memory
_BLOCK = 256 * 1024  # bytes that are written at a time


class ReceivedBody:
    """Collects the parts of one body; `async with`, which deletes the file."""

    def __init__(self, folder: Path | None) -> None:
        """Start with nothing; the file of a long body is in `folder`, or it is all in memory."""
        self.size = 0
        self._folder = folder
        self._file: IO[bytes] | None = None
        self._memory = io.BytesIO()  # what follows the bytes in the file

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    @property
    def is_long(self) -> bool:
        """Whether it has more than `SHORT_ANSWER` bytes."""
        return self.size > SHORT_ANSWER

    @property
    def is_block_full(self) -> bool:
        """Whether there is enough in memory to be stored."""
        return self.is_long and self._memory.tell() >= _BLOCK and self._folder is not None

    def add(self, part: bytes) -> None:
        """Add a part, in memory."""
        self.size += len(part)
        self._memory.write(part)

    async def store(self) -> None:
        """Move what is in memory to the file; if the disk cannot take it, it stays there."""
        await asyncio.to_thread(self._write)

    async def content(self) -> bytes:
        """The whole body, as one copy in memory.

        Raises:
            OSError: the file cannot be read back.
        """
        if self._file is None:
            return self._memory.getvalue()
        return await asyncio.to_thread(self._read, self._file)

    def _write(self) -> None:
        if self._folder is None:
            return
        pending = memoryview(self._memory.getvalue())
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115 - see __aexit__
            while pending:
                pending = pending[self._file.write(pending) :]
        except OSError:
            self._folder = None
        self._memory = io.BytesIO()
        self._memory.write(pending)

    def _read(self, file: IO[bytes]) -> bytes:
        self._write()  # so that nothing is to be joined
        file.seek(0)
        stored = file.read()
        return stored + self._memory.getvalue() if self._memory.tell() else stored
