"""Evidence packs for download; each is kept until the next one of its site."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from dataclasses import dataclass

from batchscan.report.wording import size
from batchscan.review.actions import ActionResult
from batchscan.review.site import pack_case
from batchscan.settings import Settings
from batchscan.takedown.drafts import file_name


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack that can be downloaded."""

    name: str
    path: str
    bytes: int


class Packs:
    """Makes packs in a folder of its own; `close` removes it."""

    def __init__(self) -> None:
        self._folder: str | None = None
        self._made: dict[str, Pack] = {}

    def get(self, domain: str) -> Pack | None:
        """The newest pack about a site; None without one since the start."""
        return self._made.get(domain)

    async def make(self, settings: Settings, domain: str) -> ActionResult:
        """Pack the evidence about a site.

        Raises:
            UsageError: no answer ever showed a match there.
            StorageError: the ledger cannot be read, or the disk is full.
        """
        if self._folder is None:
            self._folder = tempfile.mkdtemp(prefix="batchscan-review-")
        name = f"case-{file_name(domain)}.zip"
        path = os.path.join(tempfile.mkdtemp(dir=self._folder), name)
        made = await asyncio.to_thread(_packed, settings, domain, name, path)
        before, self._made[domain] = self._made.get(domain), made
        if before is not None:
            os.unlink(before.path)  # a download in progress goes on
        return ActionResult(f"The case is packed: {name}, {size(made.bytes)}.")

    def close(self) -> None:
        """Remove what was packed."""
        self._made.clear()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def _packed(settings: Settings, domain: str, name: str, path: str) -> Pack:
    pack_case(settings, domain, path)
    return Pack(name, path, os.path.getsize(path))
