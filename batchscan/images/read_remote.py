"""Reading pictures in stores: one object by one request, or the first bytes of many."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from tempfile import TemporaryFile
from typing import IO, Final

from batchscan.enums import FailReason
from batchscan.errors import UsageError
from batchscan.images.judge import Judge
from batchscan.images.judged import judged
from batchscan.images.large import LargeFile
from batchscan.images.rules import InspectionFailed, Rules, check_size
from batchscan.images.signature import HEAD_BYTES
from batchscan.model import Candidate, Image, NotSendable, Stat
from batchscan.stores import Changed, address_and_store
from batchscan.stores.interface import Store
from batchscan.stores.registry import together

PART: Final = 8 * 1024 * 1024
"""Bytes that are in memory at once of a large object."""

MAX_COPIES: Final = 2
"""Large objects that are temporary files at once: of the largest allowed size, 8 GB of disk."""

_copies = threading.BoundedSemaphore(MAX_COPIES)


def inspect_remote(candidate: Candidate, judge: Judge, rules: Rules) -> Image | NotSendable:
    """Read, hash and judge one object.

    One that is too large for the service is read in parts into an unnamed temporary file, and
    converted from there.

    Raises:
        InspectionFailed: it is empty, too large, or changed since it was listed.
        OSError: it is gone, or cannot be read.
    """
    try:
        address, store = address_and_store(candidate.path)
        status = candidate.stat or store.stat(address.key)
        check_size(status, rules)
        if status.size < rules.max_bytes:
            data = store.read(address.key, status.size + 1, status)
            _whole(len(data), status)
            return judged(candidate, status, data, judge)
        with _copies, TemporaryFile(buffering=0) as file:
            _copy(store, address.key, status, file)
            large = LargeFile(candidate.path, status, file.fileno())
            return large.inspect(judge, rules, convert=True)
    except UsageError as error:  # from a list: roots were checked before
        raise InspectionFailed(FailReason.UNREADABLE, f"cannot be read: {error}") from error
    except Changed as error:
        detail = "the file changed between listing and reading it"
        raise InspectionFailed(FailReason.CHANGED_WHILE_READING, detail, candidate.stat) from error


def _copy(store: Store, key: str, status: Stat, file: IO[bytes]) -> None:
    at = 0
    while part := store.read(key, PART, status, at):
        file.write(part)
        at += len(part)
        if at >= status.size:
            break
    _whole(at, status)


def _whole(size: int, status: Stat) -> None:
    if size != status.size:
        detail = "the file changed while it was read"
        raise InspectionFailed(FailReason.CHANGED_WHILE_READING, detail, status)


def heads(urls: Sequence[str]) -> list[bytes | None]:
    """The first bytes of many objects; None for those that cannot be read."""
    return [head for _, head in together(_head, urls)]


def _head(url: str) -> bytes | None:
    try:
        address, store = address_and_store(url)
        return store.read(address.key, HEAD_BYTES)
    except FileNotFoundError:
        return b""  # removed meanwhile: it was never there
    except (OSError, UsageError):
        return None
