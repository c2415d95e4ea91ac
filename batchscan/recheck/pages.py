"""A cache of pages for one run, as one page may show many pictures."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from batchscan.ledger.recheck_types import Observation

_MAX_KEPT: Final = 32_000_000  # bytes of texts, packed
_OVERHEAD: Final = 2_000  # bytes that a page without a text takes


@dataclass(frozen=True, slots=True)
class Page:
    """The answer of a page."""

    seen: Observation
    packed: bytes | None = field(default=None, repr=False)  # its text, compressed; None without one

    @property
    def weight(self) -> int:
        """Bytes of memory that it takes in the cache."""
        return _OVERHEAD + len(self.packed or b"")


class Pages:
    """Caches the newest answers of pages.

    Args:
        fetch: fetches a page.
    """

    def __init__(self, fetch: Callable[[str], Awaitable[Page]]) -> None:
        self._fetch = fetch
        self._kept: OrderedDict[str, Page] = OrderedDict()
        self._weight = 0
        self._coming: dict[str, asyncio.Lock] = {}

    async def get(self, url: str) -> Page:
        """A page; concurrent callers share one request."""
        lock = self._coming.setdefault(url, asyncio.Lock())
        async with lock:
            page = self._kept.get(url)
            if page is None:
                page = await self._fetch(url)
                self._keep(url, page)
        if not lock.locked():
            self._coming.pop(url, None)
        return page

    def _keep(self, url: str, page: Page) -> None:
        self._kept[url] = page
        self._weight += page.weight
        while self._weight > _MAX_KEPT:
            _, oldest = self._kept.popitem(last=False)
            self._weight -= oldest.weight
