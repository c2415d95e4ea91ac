"""Doubt whether answers belong to their requests: while it lasts, one picture is asked about at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from batchscan.engines.interface import TransientError
from batchscan.errors import Unavailable


class Suspicion:
    """Raised by an answer to another request; cleared by a right one to a picture asked alone.

    Every request that leaves meanwhile might be paid for in vain.
    """

    def __init__(self) -> None:
        """Start without any."""
        self._lasts = False
        self._lock = asyncio.Lock()
        self._alone: asyncio.Task[object] | None = None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Ask once in this block: at once, or alone while suspicion lasts."""
        if not self._lasts:
            yield
            return
        async with self._lock:
            self._alone = asyncio.current_task()
            try:
                yield
            finally:
                self._alone = None

    def may_send(self) -> bool:
        """Whether the request of this task may leave: one that began before may not any more."""
        return not self._lasts or self._alone is asyncio.current_task()

    def raised(self, reply: TransientError) -> None:
        """An answer to another request came.

        Raises:
            Unavailable: it came over a connection that nothing else used.
        """
        self._lasts = True
        if reply.fresh:
            raise Unavailable(
                f"the service answers about other pictures than it is asked about ({reply.detail})",
                advice="look for something between, such as a proxy that repeats answers; the bodies"
                " are kept in the ledger's table unread_bodies, and count as possibly charged",
            )

    def cleared(self) -> None:
        """A right answer came; it counts where its picture was asked about alone."""
        if self._alone is asyncio.current_task():
            self._lasts = False
