"""Writing drafts under safe names; existing files are never changed."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import count
from typing import NamedTuple

from batchscan.util import system
from batchscan.util.atomic_file import make_folders, storage_errors
from batchscan.util.private_files import open_private, sync

_MAX_LENGTH = 100  # characters of a name without its suffix
_PLAIN = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")
_OTHERS = re.compile(r"[^a-z0-9]+")
_ADVICE = "or choose another folder with --to"


class Draft(NamedTuple):
    """A file with a draft."""

    path: str
    fresh: bool  # written now; else it was there, the same to the byte


def write_drafts(folder: str, domain: str, texts: Mapping[str, bytes]) -> list[Draft]:
    """Write one notice in its formats under one name; existing files are never changed.

    Args:
        folder: created, for its owner only, if it does not exist.
        domain: the files are named by it, escaped; with a number where the name is taken.
        texts: the notice by its file's suffix.

    Raises:
        StorageError: they cannot be written.
    """
    with storage_errors(folder, _ADVICE):
        make_folders(os.path.abspath(folder))
    for name in _names(file_name(domain)):
        paths = {os.path.join(folder, f"{name}{suffix}"): text for suffix, text in texts.items()}
        drafts = _written(paths)
        if drafts is not None:
            return drafts
    raise AssertionError("numbers do not end")


def file_name(domain: str) -> str:
    """A file name for a domain: valid on every file system, and unique."""
    if _PLAIN.fullmatch(domain) and len(domain) <= _MAX_LENGTH and ".." not in domain:
        return domain
    readable = _OTHERS.sub("-", domain.lower()[:_MAX_LENGTH]).strip("-")
    mark = hashlib.sha256(domain.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{readable}-{mark}" if readable else f"unknown-site-{mark}"


def _names(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}-{number}" for number in count(2))


def _written(paths: Mapping[str, bytes]) -> list[Draft] | None:
    """Write the files that do not exist yet; None if a name is taken by other content."""
    existing = {
        path: _content(path, len(text) + 1) for path, text in paths.items() if os.path.lexists(path)
    }
    if any(content != paths[path] for path, content in existing.items()):
        return None
    drafts = []
    for path, text in paths.items():
        with storage_errors(path, _ADVICE):
            drafts.append(Draft(path, fresh=path not in existing and _made(path, text)))
    return drafts


def _content(path: str, most: int) -> bytes | None:
    """The first bytes of a file; None if it is not a readable file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | system.O_NOFOLLOW | system.O_NONBLOCK)
    except OSError:
        return None
    try:
        regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
        return os.read(descriptor, most) if regular else None
    finally:
        os.close(descriptor)


def _made(path: str, text: bytes) -> bool:
    descriptor = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | system.O_NOFOLLOW)
    try:
        with open(descriptor, "wb") as file:
            file.write(text)
            file.flush()
            sync(descriptor)
    except BaseException:
        with suppress(OSError):
            os.unlink(path)
        raise
    return True
