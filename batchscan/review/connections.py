"""Closing idle connections: anybody on this machine can connect to the port."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterable
from typing import Final, Protocol

from aiohttp.http_exceptions import HttpProcessingError

MAX_SILENT: Final = 64  # connections without a request yet
SECONDS: Final = 10.0  # for the head of a request; a browser needs milliseconds


class Connection(Hashable, Protocol):
    """One of aiohttp's."""

    def force_close(self) -> None:
        """Close it at once."""


class Connections:
    """Closes connections without a request in time, or if there are too many.

    Args:
        now: seconds that only grow.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._asked: set[Hashable] = set()
        self._since: dict[Hashable, float] = {}  # of those on which nothing was asked yet

    def note(self, connection: Hashable) -> None:
        """Note that a request came."""
        self._asked.add(connection)

    def tidy(self, connections: Iterable[Connection]) -> None:
        """Check the open connections."""
        now, there = self._now(), list(connections)
        self._asked.intersection_update(there)
        silent = [connection for connection in there if connection not in self._asked]
        self._since = {connection: self._since.get(connection, now) for connection in silent}
        silent.sort(key=self._since.__getitem__)
        for place, connection in enumerate(silent):
            if now - self._since[connection] >= SECONDS or len(silent) - place > MAX_SILENT:
                connection.force_close()


def is_about_us(record: logging.LogRecord) -> bool:
    """Whether a log record is about our code, and not about a request that is not HTTP."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)
