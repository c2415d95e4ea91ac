"""Very long answers: one at a time is stored, and one at a time is parsed and recorded.

All are received at once, into files (`copyleaks.received_body`). An answer is in memory until it is
stored, and its turn to be parsed lasts until its line is written. So two of them are in memory, of
up to 64 MiB each, however many come at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

LONG_STORED = 16 * 1024  # bytes of a stored body, which is compressed


@dataclass(slots=True)
class LongAnswers:
    """Whose turn it is; a file has it until it is recorded, however often it asks."""

    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _path: str | None = None  # of the file whose turn it is

    async def take(self, path: str) -> None:
        """Wait for the turn of a file; its task must release the turn before it waits for another file."""
        if self._path != path:
            await self._turn.acquire()
            self._path = path

    def release(self, path: str) -> None:
        """Let the next one have its turn, if it is this file's."""
        if self._path == path:
            self._path = None
            self._turn.release()

    @contextmanager
    def released_after(self, path: str) -> Iterator[None]:
        """Release this file's turn at the end of the block, if it has it then."""
        try:
            yield
        finally:
            self.release(path)
