"""Suspicion that answers belong to other requests: while it lasts, pictures are sent one by one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from batchscan.engines.interface import TransientError
from batchscan.errors import Unavailable


class Suspicion:
    """Raised by an answer to another request; cleared by a right answer to a request sent alone.

    Every request sent in between might be paid for in vain.
    """

    def __init__(self) -> None:
        """Start without suspicion."""
        self._lasts = False
        self._lock = asyncio.Lock()
        self._alone: asyncio.Task[object] | None = None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Send one request in this block; no other one at the same time while suspicion lasts."""
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
        """Whether this task may send now; one that began before the suspicion may not."""
        return not self._lasts or self._alone is asyncio.current_task()

    def raised(self, reply: TransientError) -> None:
        """Handle an answer that belongs to another request.

        Raises:
            Unavailable: it came over a connection that nothing else used.
        """
        self._lasts = True
        if reply.fresh:
            raise Unavailable(
                f"the service answers about other pictures than those that were sent ({reply.detail})",
                advice="check whether a proxy on the way repeats old answers. The answers are "
                "kept in the ledger (table unread_bodies) and count as possibly charged",
            )

    def cleared(self) -> None:
        """Handle a right answer, which clears the suspicion if its request was sent alone."""
        if self._alone is asyncio.current_task():
            self._lasts = False
