"""A queue of candidates of any length in bounded memory: listing need not wait for the uploads.

Most of it is in an unnamed temporary file. If the disk has no room for that, listing waits.
"""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
import zlib
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import IO, NamedTuple, Self

import msgspec

from batchscan.model import Candidate, Stat

IN_MEMORY = 10_000  # candidates; small runs need no file
_PACKING = 1
log = logging.getLogger(__name__)


class _Record(NamedTuple):
    path: bytes
    stat: Stat | None
    explicit: bool
    root: bytes | None
    again: bool


_DECODER = msgspec.msgpack.Decoder(list[_Record])


class CandidateQueue:
    """First in, first out; for one producer and one consumer."""

    def __init__(self) -> None:
        self._near: deque[Sequence[Candidate]] = deque()  # older than all in the file
        self._far: deque[int] = deque()  # bytes of each batch in the file that was not read yet
        self._file: IO[bytes] | None = None
        self._read_at = self._write_at = 0
        self._refused = False  # the disk has no room
        self._ended = False
        self._filing = asyncio.Lock()
        self._changed = asyncio.Condition()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    async def put(self, batch: Sequence[Candidate]) -> None:
        """Append a batch; waits only if the disk has no room."""
        if not batch:
            return
        filed = not self._has_room() and await self._file_away(batch)
        async with self._changed:
            if not filed:
                await self._changed.wait_for(self._has_room)
                self._near.append(batch)
            self._changed.notify_all()

    async def end(self) -> None:
        """Mark the end of the input."""
        async with self._changed:
            self._ended = True
            self._changed.notify_all()

    async def get(self) -> Sequence[Candidate]:
        """Take the oldest batch; an empty one at the end of the input."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._near or self._far or self._ended)
            if self._near:
                batch = self._near.popleft()
                self._changed.notify_all()
                return batch
        if not self._far:
            return ()
        batch = await self._fetch()
        async with self._changed:
            self._changed.notify_all()
        return batch

    def _has_room(self) -> bool:
        """Whether a batch may be kept in memory without overtaking older ones in the file."""
        return not self._far and sum(map(len, self._near)) < IN_MEMORY

    async def _file_away(self, batch: Sequence[Candidate]) -> bool:
        if self._refused:
            return False
        async with self._filing:
            try:
                self._far.append(await asyncio.to_thread(self._append, batch))
            except OSError as error:
                log.info(
                    "files are listed only as fast as they are uploaded, as no temporary file could be written: %s",
                    error.strerror,
                )
                self._refused = True
        return not self._refused

    async def _fetch(self) -> Sequence[Candidate]:
        async with self._filing:
            batch = await asyncio.to_thread(self._read, self._far[0])
            self._far.popleft()
            if not self._far and self._file is not None:  # all was read: free the disk
                os.ftruncate(self._file.fileno(), 0)
                self._read_at = self._write_at = 0
        return batch

    def _append(self, batch: Sequence[Candidate]) -> int:
        if self._file is None:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed at the end
        data = zlib.compress(msgspec.msgpack.encode(list(map(_record, batch))), _PACKING)
        written = 0
        while written < len(data):
            offset = self._write_at + written
            written += os.pwrite(self._file.fileno(), memoryview(data)[written:], offset)
        self._write_at += written
        return written

    def _read(self, length: int) -> Sequence[Candidate]:
        assert self._file is not None  # noqa: S101 - something was appended
        data = b""
        while len(data) < length:
            offset = self._read_at + len(data)
            data += os.pread(self._file.fileno(), length - len(data), offset)
        self._read_at += length
        return [_candidate(record) for record in _DECODER.decode(zlib.decompress(data))]


def _record(candidate: Candidate) -> _Record:
    root = None if candidate.root is None else os.fsencode(candidate.root)
    path = os.fsencode(candidate.path)
    return _Record(path, candidate.stat, candidate.named_by_user, root, candidate.is_rescan)


def _candidate(record: _Record) -> Candidate:
    root = None if record.root is None else os.fsdecode(record.root)
    path = os.fsdecode(record.path)
    return Candidate(path, record.stat, record.explicit, root, record.again)
