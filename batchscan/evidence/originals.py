"""Files of pictures, looked at again: whether they still are what was sent."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import Final

from batchscan.images.portrait import read_provenance
from batchscan.ledger.proof import ProvedPicture
from batchscan.model import Provenance
from batchscan.paths import is_url

MOST_TRIED: Final = 10
"""Paths of one picture that are looked at: each may be a disk that has to wake up."""

_LARGEST: Final = 64 * 1024 * 1024  # bytes; the service never took as much
_FLAGS: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC  # non-blocking: a FIFO has no writer


def provenance_now(picture: ProvedPicture) -> Provenance | None:
    """Read who made a picture from one of its files; None where none still is that picture."""
    for path in picture.paths[:MOST_TRIED]:
        data = _content(path, picture.size)
        if data is not None and hashlib.sha256(data).hexdigest() == picture.sha256:
            return read_provenance(picture.format, data)
    return None


def sha256_now(path: bytes) -> str | None:
    """Hash what stands at a path; None where that is no file that could have been sent."""
    data = _content(path)
    return None if data is None else hashlib.sha256(data).hexdigest()


def _content(path: bytes, size: int | None = None) -> bytes | None:
    """A regular file's bytes; None where there is none, none of this size, or a store's object."""
    if is_url(path):
        return None
    try:
        with open(os.open(path, _FLAGS), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
                return None
            return file.read(_LARGEST) if size in (None, status.st_size) else None
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return None
