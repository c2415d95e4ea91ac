"""The folder that the emulator searches for copies and serves as the web."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aiohttp import web

from batchscan.emulator.bodies import HttpReply, VendorMatch
from batchscan.emulator.config import EmulatorConfig
from batchscan.emulator.uploads import UploadForm, invalid_file
from batchscan.emulator.web_files import content_type, read_below
from batchscan.errors import UsageError
from batchscan.images.kinds import ImageFormat

if TYPE_CHECKING:
    from batchscan.emulator.matching.index import FoundCopy, Index

_DECODERS: Final = 2  # pictures decoded at once: each may have 75 megapixels
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    # Without allow-scripts: a page from the real internet must not run here
    "Content-Security-Policy": "default-src 'self' 'unsafe-inline'; sandbox allow-same-origin",
}


class WebFolder:
    """Pictures and pages below one folder.

    Args:
        config: names the folder, and says whether it is searched.
        url_of: makes a file's URL of its name.
    """

    def __init__(self, config: EmulatorConfig, url_of: Callable[[str], str]) -> None:
        self._root = config.web
        self._copies = config.copies
        self._searches = config.search
        self._url_of = url_of
        self._stop = threading.Event()
        self._index: asyncio.Task[Index] | None = None
        self._decoders = asyncio.Semaphore(_DECODERS)

    def start(self) -> None:
        """Start to index the pictures, in a thread.

        Raises:
            UsageError: there is no such folder.
        """
        if self._root is None:
            return
        if not self._root.is_dir():
            raise UsageError(f"{self._root}: not a folder")
        if self._searches and self._copies is None:
            self._index = asyncio.create_task(_build(self._root, self._stop))

    async def stop(self) -> None:
        """Stop the indexing."""
        self._stop.set()
        if self._index is not None:
            await asyncio.wait([self._index])

    async def find(self, upload: UploadForm, kind: ImageFormat) -> Sequence[VendorMatch]:
        """Find copies of a picture; waits until the index is built.

        Raises:
            BadUpload: the picture cannot be decoded.
        """
        if self._copies is not None:
            return self._copies(upload.sha256)
        if self._index is None:
            return ()
        index = await asyncio.shield(self._index)
        async with self._decoders:
            copies = await asyncio.to_thread(_search, index, upload, kind)
        return [
            VendorMatch(self._url_of(copy.name), copy.kind, tuple(map(self._url_of, copy.pages)))
            for copy in copies
        ]

    async def page(self, name: str) -> HttpReply:
        """A picture or a page by its relative name.

        Raises:
            HTTPNotFound: there is none.
        """
        if self._root is None:
            raise web.HTTPNotFound
        try:
            data = await asyncio.to_thread(read_below, self._root, name)
        except OSError:
            raise web.HTTPNotFound from None
        return HttpReply(200, data, content_type(name) or "", _HEADERS)


def _build(root: Path, stop: threading.Event) -> Coroutine[None, None, Index]:
    from batchscan.emulator.matching.index import Index  # noqa: PLC0415 - numpy is slow to import

    return asyncio.to_thread(Index.build, root, stop)


def _search(index: Index, upload: UploadForm, kind: ImageFormat) -> list[FoundCopy]:
    from batchscan.emulator.matching.similarity import fingerprint  # noqa: PLC0415 - the same

    features = None
    if kind.group == "raster":
        try:
            features = fingerprint(upload.image)
        except Exception as error:  # decoder boundary: Pillow raises what it likes
            raise invalid_file() from error
    return index.find(upload.sha256, features)
