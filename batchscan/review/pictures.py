"""Our own pictures at screen size: read from the file, decoded in a child process."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from batchscan.images.decoding.pool import Decoders
from batchscan.images.decoding.process import FileSource
from batchscan.images.rules import RuleViolation
from batchscan.images.signature import HEAD_BYTES, sniff
from batchscan.ledger.review_details import PictureFile
from batchscan.util import system
from batchscan.util.paths import is_url

MAX_TRIED: Final = 5
"""The most paths of one picture that are tried: each may be on a disk that has to wake up."""

MAX_BYTES: Final = 128 * 1024 * 1024  # of one file; four may be read at once
SECONDS: Final = 2.0  # that a page waits for a disk
_FLAGS: Final = (
    os.O_RDONLY | system.O_NONBLOCK | system.O_CLOEXEC
)  # non-blocking: a FIFO has no writer
_KEPT: Final = 24  # JPEGs that stay in memory, of about 0.5 MB
_KNOWN: Final = 10_000  # files whose content was compared

T = TypeVar("T")
_State = tuple[bytes, int, int, int]  # path, size, time, inode, which change with the content


class OwnPictures:
    """Reads our pictures if their content is the scanned one; `aclose` ends the children."""

    def __init__(self) -> None:
        self._decoders = Decoders(processes=2)
        self._disk = ThreadPoolExecutor(4, "pictures")
        self._same: OrderedDict[_State, bool] = OrderedDict()
        self._large: OrderedDict[_State, bytes | None] = OrderedDict()

    async def current(self, files: Sequence[PictureFile]) -> PictureFile | None:
        """The first of a picture's files that still has the content that was scanned."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(SECONDS):
                return await loop.run_in_executor(self._disk, self._current, files)
        except TimeoutError:  # a share that does not answer
            return None

    async def large(self, files: Sequence[PictureFile]) -> bytes | None:
        """A JPEG of the picture, at most 2,048 pixels; None if no file has its content any more."""
        return await asyncio.get_running_loop().run_in_executor(self._disk, self._jpeg, files)

    async def aclose(self) -> None:
        """End the children, and abandon reads that wait for a disk."""
        self._disk.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._decoders.close)

    def _current(self, files: Sequence[PictureFile]) -> PictureFile | None:
        for file in files[:MAX_TRIED]:
            state = _state(file)
            if state is None:
                continue
            if state not in self._same:
                _keep(self._same, state, _content(file) is not None, _KNOWN)
            if self._same.get(state):
                return file
        return None

    def _jpeg(self, files: Sequence[PictureFile]) -> bytes | None:
        file = self._current(files)
        state = _state(file) if file else None
        if file is None or state is None:
            return None
        if state not in self._large:
            _keep(self._large, state, self._converted(file), _KEPT)
        return self._large.get(state)

    def _converted(self, file: PictureFile) -> bytes | None:
        data = _content(file)
        kind = sniff(data[:HEAD_BYTES]) if data else None
        if data is None or kind is None:
            return None
        try:
            return self._decoders.convert(kind, FileSource(data)).data
        except RuleViolation:
            return None


def _keep(cache: OrderedDict[_State, T], state: _State, value: T, most: int) -> None:
    cache[state] = value
    while len(cache) > most:
        cache.popitem(last=False)


def _state(file: PictureFile) -> _State | None:
    """The state of a file; None if it is missing, has another size, or is in a store."""
    if is_url(file.path):
        return None
    try:
        status = os.stat(file.path)
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return None
    if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
        return None
    return (file.path, status.st_size, status.st_mtime_ns, status.st_ino)


def _content(file: PictureFile) -> bytes | None:
    """The bytes of a file if they are the scanned ones; else None."""
    try:
        with open(os.open(file.path, _FLAGS), "rb") as opened:
            status = os.fstat(opened.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size != file.size:
                return None
            data = opened.read(MAX_BYTES)
    except (OSError, ValueError):
        return None
    return data if hashlib.sha256(data).hexdigest() == file.sha256 else None
