"""SFTP servers, through sshfs; only those in `~/.ssh/known_hosts`."""

from __future__ import annotations

import os
import stat as modes
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from batchscan.model import Stat
from batchscan.stores.fsspec_support import CLOSING, as_os_errors, filesystem, library
from batchscan.stores.interface import Item, hold_to, state

TIMEOUT = 20.0  # seconds
NAMES = 1_000  # taken from a listing at once
KNOWN_HOSTS = "~/.ssh/known_hosts"


class SftpStore:
    """One host, as `user@host:port`; keys are absolute paths without their first slash."""

    def __init__(self, authority: str) -> None:
        """Connect.

        Raises:
            UsageError: sshfs is not installed.
            OSError: the host is unreachable or unknown, or refuses the login.
        """
        user, _, place = authority.rpartition("@")
        host, _, port = place.partition(":")
        options: dict[str, Any] = {
            # sshfs would take any host for the one that is meant.
            "known_hosts": os.path.expanduser(KNOWN_HOSTS),
            "connect_timeout": TIMEOUT,
            "keepalive_interval": TIMEOUT / 2,  # a host that is silent for longer is gone
            "sftp_client_kwargs": {"path_errors": "surrogateescape"},  # names may be no UTF-8
        }
        options |= {"username": user} if user else {}
        options |= {"port": int(port)} if port.isdigit() else {}
        with as_os_errors():
            self._fs = filesystem("sshfs", "sftp", "SSHFileSystem", host=host, **options)
        self._sync = library("fsspec.asyn", "sftp").sync

    def list(self, folder: str) -> Iterator[Item]:
        """List a folder in the host's order, without links and devices."""
        names = self._do(self._open_listing, f"/{folder}")
        while part := self._do(_some, names):
            for entry in part:
                mode, name = entry.attrs.permissions or 0, str(entry.filename)
                if modes.S_ISDIR(mode) and name not in (".", ".."):
                    yield name
                elif modes.S_ISREG(mode):
                    yield name, *_state(entry.attrs)

    def stat(self, key: str) -> Stat:
        """The state of one file."""
        return _state(self._do(self._attributes, key))

    def read(self, key: str, limit: int, expected: Stat | None = None, start: int = 0) -> bytes:
        """Read bytes of a file, which is opened once.

        Raises:
            Changed: its state is not the expected one, or changes while it is read.
        """
        data: bytes = self._do(self._read, key, limit, expected, start)
        return data

    def close(self) -> None:
        """Close the connection."""
        self._sync(self._fs.loop, self._fs._stack.aclose, timeout=CLOSING)

    async def _open_listing(self, path: str) -> Any:
        async with self._fs._pool.get() as channel:
            return channel.scandir(path)

    async def _attributes(self, key: str) -> Any:
        async with self._fs._pool.get() as channel:
            attributes = await channel.stat(f"/{key}")
        if modes.S_ISDIR(attributes.permissions or 0):
            raise FileNotFoundError(key)
        return attributes

    async def _read(self, key: str, limit: int, expected: Stat | None, start: int) -> bytes:
        async with (
            self._fs._pool.get() as channel,
            channel.open(f"/{key}", "rb") as file,
        ):
            hold_to(expected, _state(await file.stat()))
            data: bytes = await file.read(limit, start)
            hold_to(expected, _state(await file.stat()))
            return data

    def _do(self, function: Any, *words: Any) -> Any:
        with as_os_errors():
            return self._sync(self._fs.loop, function, *words)


async def _some(names: Any) -> list[Any]:
    part = []
    async for name in names:
        part.append(name)
        if len(part) == NAMES:
            break
    return part


def _state(attributes: Any) -> Stat:
    modified = datetime.fromtimestamp(attributes.mtime, UTC) if attributes.mtime else None
    return state(attributes.size or 0, modified, "")
