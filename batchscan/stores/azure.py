"""Azure Blob Storage, through adlfs' client.

adlfs keeps the listing of a folder in memory; so the pages are requested from its client.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from batchscan.model import Stat
from batchscan.stores.fsspec_support import CLOSING, UNCACHED, as_os_errors, filesystem, library
from batchscan.stores.interface import Item, hold_to, state


class AzureStore:
    """One container, as `container` or `container@account.dfs.core.windows.net`."""

    def __init__(self, authority: str) -> None:
        """Open a container; looks for credentials.

        Raises:
            UsageError: adlfs is not installed.
            OSError: there are no credentials, or no account is named.
        """
        container, _, account = authority.partition("@")
        named = {"account_name": account.partition(".")[0]} if account else {}
        with as_os_errors():
            self._fs = filesystem("adlfs", "azure", "AzureBlobFileSystem", **named, **UNCACHED)
            self._client = self._fs.service_client.get_container_client(container)
        self._sync = library("fsspec.asyn", "azure").sync

    def list(self, folder: str) -> Iterator[Item]:
        """List what is directly below a prefix, ordered by name, page by page."""
        start = len(folder)
        pages = self._client.walk_blobs(name_starts_with=folder, delimiter="/").by_page()
        while (page := self._do(_next_page, pages)) is not None:
            for item in page:
                if "etag" not in item:  # only blobs have one: a folder is a name alone
                    yield item.name[start:-1]
                else:
                    yield item.name[start:], *_state(item)

    def stat(self, key: str) -> Stat:
        """The state of one blob."""
        return _state(self._do(self._client.get_blob_client(key).get_blob_properties))

    def read(self, key: str, limit: int, expected: Stat | None = None, start: int = 0) -> bytes:
        """Read bytes of a blob, with one GET if it is not larger than pictures may be.

        Raises:
            Changed: its state is not the expected one.
        """
        return bytes(self._do(self._get, key, limit, expected, start))

    async def _get(self, key: str, limit: int, expected: Stat | None, start: int) -> bytes:
        stream = await self._client.download_blob(key, offset=start, length=limit)
        hold_to(expected, _state_of(stream.properties))
        data: bytes = await stream.readall()
        return data

    def close(self) -> None:
        """Close the connections."""
        self._sync(self._fs.loop, self._fs.service_client.close, timeout=CLOSING)

    def _do(self, function: Any, *words: Any) -> Any:
        with as_os_errors():
            return self._sync(self._fs.loop, function, *words)


async def _next_page(pages: Any) -> list[Any] | None:
    try:
        return [item async for item in await anext(pages)]
    except StopAsyncIteration:
        return None


def _state(properties: Any) -> Stat:
    return state(properties.size, properties.last_modified, properties.etag or "")


def _state_of(answer: Any) -> Stat:
    """The state of a blob, by a response with all or a part of it."""
    total = str(answer.content_range or "").rpartition("/")[2]
    size = int(total) if total.isdecimal() else answer.size or 0
    return state(size, answer.last_modified, answer.etag or "")
