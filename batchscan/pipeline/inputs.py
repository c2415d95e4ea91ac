"""The sources of a run's pictures: local folders, object stores and lists."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from batchscan.images.signature import SEEN_EXTENSIONS
from batchscan.settings import Settings
from batchscan.stores import using
from batchscan.util.paths import is_url
from batchscan.walk import FileList, Finder, LocalWalk, RemoteWalk


@asynccontextmanager
async def open_stores() -> AsyncIterator[None]:
    """Close the clients of object stores at the end of the block."""
    stores = using()
    stores.__enter__()
    try:
        yield
    finally:
        await asyncio.to_thread(stores.__exit__, None, None, None)


def open_walks(settings: Settings, state: Path) -> Sequence[Finder]:
    """One walk for each kind of source in the settings."""
    walks: list[Finder] = []
    folders = [root for root in settings.roots if not is_url(root)]
    urls = [root for root in settings.roots if is_url(root)]
    if folders:
        never = (str(state), settings.output.directory)
        walks.append(LocalWalk(folders, settings.scan, extensions=SEEN_EXTENSIONS, never=never))
    if urls:
        walks.append(RemoteWalk(urls, settings.scan, extensions=SEEN_EXTENSIONS))
    if settings.files_from is not None:
        walks.append(FileList(settings.files_from))
    if settings.files0_from is not None:
        walks.append(FileList(settings.files0_from, nul=True))
    return walks
