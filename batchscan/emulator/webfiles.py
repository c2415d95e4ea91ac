"""The files of a web: pictures and pages below a folder, and nothing that a link leads to."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PICTURES: Final = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".gif": "image/gif",
    ".bmp": "image/bmp",
    ".webp": "image/webp",
    ".ico": "image/x-icon",
}
PAGES: Final = {".html": "text/html", ".htm": "text/html"}
_LARGEST: Final = 64 * 1024**2  # bytes


def content_type(name: str) -> str | None:
    """What a file is by its name; None for all that is not served."""
    extension = os.path.splitext(name)[1].lower()
    return PICTURES.get(extension) or PAGES.get(extension)


def web_files(root: Path) -> Iterator[str]:
    """The relative names of all that is served, ordered; folders that cannot be read are not."""
    pending = [""]
    while pending:
        folder = pending.pop()
        for name, is_folder in _entries(root, folder):
            if is_folder:
                pending.append(f"{name}/")
            elif content_type(name) is not None:
                yield name


def _entries(root: Path, folder: str) -> list[tuple[str, bool]]:
    try:
        with os.scandir(root / folder) as found:
            return sorted(
                (folder + entry.name, entry.is_dir(follow_symlinks=False))
                for entry in found
                if _is_plain(entry) and entry.name.isprintable()
            )
    except OSError:
        return []


def _is_plain(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False) or entry.is_file(follow_symlinks=False)


def read_below(root: Path, name: str) -> bytes:
    """Read a file by its relative name, following no link on the way to it.

    Raises:
        OSError: there is no such file, or it is not one that is served.
    """
    parts = name.split("/")
    if content_type(name) is None or "\0" in name or {"", ".", ".."} & set(parts):
        raise FileNotFoundError(name)
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts[:-1]:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = inner
        return _read(folder, parts[-1])
    finally:
        os.close(folder)


def _read(folder: int, name: str) -> bytes:
    # Not blocking: opening a FIFO would wait for somebody to write
    file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    with os.fdopen(file, "rb") as opened:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
            raise FileNotFoundError(name)
        return opened.read()
