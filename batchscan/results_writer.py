"""Writing `results.jsonl`, which has whole lines only, whatever happens to the disk."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import aiofiles

from batchscan.errors import StorageError
from batchscan.results import Line, encoded
from batchscan.util.atomic_file import write_atomic
from batchscan.util.escaping import printable
from batchscan.util.private_files import advice_for, open_private, sync

_PIECE = 1024 * 1024
log = logging.getLogger(__name__)


class ResultsWriter:
    """Appends whole lines to a new file that only its owner can read.

    A write that fails leaves nothing behind, so that the file always ends with a whole line.
    """

    def __init__(self, path: str, file: Any) -> None:  # noqa: ANN401 - aiofiles names no public type
        """Take an open file; `create` opens one."""
        self._path = path
        self._file = file
        self._size = 0

    @classmethod
    async def create(cls, path: str) -> ResultsWriter:
        """Create the file.

        Raises:
            StorageError: it cannot be created, or exists already.
        """
        try:
            # Unbuffered: the next write must not flush what a failed one left in a buffer.
            file = await aiofiles.open(path, "x+b", buffering=0, opener=open_private)
        except OSError as error:
            raise _cannot_write(path, error) from error
        return cls(path, file)

    async def write(self, lines: Iterable[Line]) -> None:
        """Append lines, all in one write but for long ones.

        Raises:
            StorageError: they cannot be written; none of them counts as written.
        """
        size = 0
        try:
            for piece in encoded(lines):
                await self._write_all(piece)
                size += len(piece)
        except OSError as error:
            await self._undo()
            raise _cannot_write(self._path, error) from error
        except BaseException:  # between two pieces of a line
            await self._undo()
            raise
        self._size += size

    async def close(self) -> None:
        """Sync the file to disk and close it; put it back if it was removed meanwhile.

        Another file in its place stays: it is that of a run which took this one for killed.

        Raises:
            StorageError: it cannot be written.
        """
        try:
            try:
                await asyncio.to_thread(sync, self._file.fileno())
                if not await asyncio.to_thread(os.path.lexists, self._path):
                    log.warning(
                        "%s was removed during this run: it is written anew", printable(self._path)
                    )
                    await asyncio.to_thread(write_atomic, self._path, _content(self._file.fileno()))
            finally:
                await self._file.close()
        except OSError as error:
            raise _cannot_write(self._path, error) from error

    async def _write_all(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[await self._file.write(rest) :]

    async def _undo(self) -> None:
        """Remove the part of a failed write that reached the file."""
        with suppress(OSError):
            await self._file.seek(self._size)
            await self._file.truncate()


def _content(descriptor: int) -> Iterator[bytes]:
    at = 0
    while piece := os.pread(descriptor, _PIECE, at):
        yield piece
        at += len(piece)


def _cannot_write(path: str, error: OSError) -> StorageError:
    what = f"cannot write '{printable(path)}': {error.strerror}"
    return StorageError(what, advice=advice_for(error))
