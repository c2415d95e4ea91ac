"""fsspec's `memory://`: a store for trials, which ends with the process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from batchscan.model import Stat
from batchscan.stores.fsspec_support import UNCACHED, as_os_errors, filesystem
from batchscan.stores.interface import Item, hold_to, state


class MemoryStore:
    """Everything below one name."""

    def __init__(self, top: str) -> None:
        """Prepare.

        Raises:
            UsageError: fsspec is not installed.
        """
        self._top = top
        self._fs = filesystem("fsspec.implementations.memory", "s3", "MemoryFileSystem", **UNCACHED)

    def list(self, folder: str) -> Iterator[Item]:
        """List a folder."""
        with as_os_errors():
            entries = self._fs.ls(self._path(folder), detail=True)
        for entry in entries:
            name = entry["name"].rpartition("/")[2]
            yield name if entry["type"] == "directory" else (name, *self._state(entry))

    def stat(self, key: str) -> Stat:
        """The state of one file."""
        with as_os_errors():
            info = self._fs.info(self._path(key))
        if info["type"] == "directory":
            raise FileNotFoundError(key)
        return self._state(info)

    def read(self, key: str, limit: int, expected: Stat | None = None, start: int = 0) -> bytes:
        """Read bytes of a file.

        Raises:
            Changed: its state is not the expected one.
        """
        hold_to(expected, self.stat(key))
        with as_os_errors():
            return bytes(self._fs.cat_file(self._path(key), start=start, end=start + limit))

    def close(self) -> None:
        """Do nothing: nothing is open."""

    def _path(self, key: str) -> str:
        return f"/{self._top}/{key}".rstrip("/")

    def _state(self, info: dict[str, Any]) -> Stat:
        modified = self._fs.modified(info["name"])
        return state(info["size"], modified, modified.isoformat())
