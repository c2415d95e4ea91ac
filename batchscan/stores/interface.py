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
        """List what is directly in a folder, page by page, to save memory."""
        ...

    def stat(self, key: str) -> Stat:
        """The state of one object."""
        ...

    def read(self, key: str, limit: int, expected: Stat | None = None, start: int = 0) -> bytes:
        """Read bytes of an object from `start` on, in one request.

        Raises:
            Changed: its state is not the expected one.
        """
        ...

    def close(self) -> None:
        """Close connections."""
        ...


def state(size: int, modified: datetime | None, version: str) -> Stat:
    """The state of an object: whole seconds (headers have no fractions) and a number for its version.

    A number made from the ETag or generation is used as its ctime.
    """
    digest = hashlib.blake2b(version.strip('"').encode(), digest_size=8).digest()
    seconds = int(modified.replace(tzinfo=modified.tzinfo or UTC).timestamp()) if modified else 0
    return Stat(bounded(size), bounded(seconds * 1_000_000_000), int.from_bytes(digest) >> 1)


def hold_to(expected: Stat | None, actual: Stat) -> None:
    """Check that an object is still the one that was listed.

    Raises:
        Changed: it is another.
    """
    if expected is not None and expected != actual:
        raise Changed("it changed after it was listed")
