"""Parsing a sample answer before any is paid for, to be sure that nothing is missing for that."""

from __future__ import annotations

import asyncio
import errno

from batchscan.engines.vendor_mapping import parse_answer
from batchscan.errors import StorageError

_SAMPLE = b'{"matches": {"internet": [{"url": "https://www.example.com/a.jpg?b=%41"}]}}'
_NO_MORE_FILES = (errno.EMFILE, errno.ENFILE)


class Rehearsal:
    """Runs once for all callers, in a thread: imports take a tenth of a second."""

    def __init__(self) -> None:
        self.done = False
        self._turn = asyncio.Lock()

    async def wait(self) -> None:
        """Wait until the sample was parsed.

        Raises:
            StorageError: a module or file that this needs is missing.
        """
        async with self._turn:
            if self.done:
                return
            try:
                await asyncio.to_thread(parse_answer, _SAMPLE, 0.0)
            except (OSError, ImportError, MemoryError, RuntimeError) as error:
                raise StorageError(
                    f"this machine could not read answers of the API, so nothing was sent or paid: {_why(error)}",
                    advice=_advice(error),
                ) from error
            self.done = True


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _advice(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno in _NO_MORE_FILES:
        return "allow more open files (ulimit -n), or fewer uploads at once (--concurrency)"
    return "free some memory; if that does not help, install batchscan again"
