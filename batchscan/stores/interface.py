"""The interface of stores; all methods are blocking, to be called in threads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Protocol, TypeAlias

from batchscan.model import Stat, bounded

# What a listing gives: the name of a folder, or a file's name, bytes, mtime_ns and version.
Item: TypeAlias = str | tuple[str, int, int, int]


class Changed(OSError):
    """An object is no longer the one that was listed."""


class Store(Protocol):
    """One bucket, container or host. Keys are taken literally; a folder's ends with a slash.

    Everything raises OSError, and nothing else, when it fails: FileNotFoundError for what is not
    there, PermissionError for what may not be read and for credentials that are refused.
    """

    def list(self, folder: str) -> Iterator[Item]:
        """What is directly in a folder, page by page, so that its size costs no memory."""
        ...

    def stat(self, key: str) -> Stat:
        """The state of one object."""
        ...

    def read(self, key: str, most: int, expected: Stat | None = None, start: int = 0) -> bytes:
        """Bytes of an object from `start` on, at most so many, in one request.

        Raises:
            Changed: it is not in the state that is expected.
        """
        ...

    def close(self) -> None:
        """Give back what is open."""
        ...


def state(size: int, modified: datetime | None, version: str) -> Stat:
    """An object's state: whole seconds (headers tell no less), and a number for its version.

    A number made of the ETag or generation takes the place of ctime.
    """
    digest = hashlib.blake2b(version.strip('"').encode(), digest_size=8).digest()
    seconds = int(modified.replace(tzinfo=modified.tzinfo or UTC).timestamp()) if modified else 0
    return Stat(bounded(size), bounded(seconds * 1_000_000_000), int.from_bytes(digest) >> 1)


def hold_to(expected: Stat | None, found: Stat) -> None:
    """Make sure that an object is still the one that was listed.

    Raises:
        Changed: it is another.
    """
    if expected is not None and expected != found:
        raise Changed("it changed after it was listed")
