"""The files of a web: pictures and pages below a folder, without following links."""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from batchscan.util import system

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
_MAX_BYTES: Final = 64 * 1024**2  # bytes


def content_type(name: str) -> str | None:
    """The content type of a file by its name; None if it is not served."""
    extension = os.path.splitext(name)[1].lower()
    return PICTURES.get(extension) or PAGES.get(extension)


def web_files(root: Path) -> Iterator[str]:
    """The relative names of all served files, ordered; unreadable folders are skipped."""
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
        with os.scandir(root / folder) as entries:
            return sorted(
                (folder + entry.name, entry.is_dir(follow_symlinks=False))
                for entry in entries
                if _is_plain(entry) and entry.name.isprintable()
            )
    except OSError:
        return []


def _is_plain(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False) or entry.is_file(follow_symlinks=False)


def read_below(root: Path, name: str) -> bytes:
    """Read a file by its relative name, without following links.

    Raises:
        OSError: it does not exist, or is not served.
    """
    parts = name.split("/")
    if content_type(name) is None or "\0" in name or {"", ".", ".."} & set(parts):
        raise FileNotFoundError(name)
    folder = os.open(root, os.O_RDONLY | system.O_DIRECTORY)
    try:
        for part in parts[:-1]:
            inner = os.open(
                part, os.O_RDONLY | system.O_DIRECTORY | system.O_NOFOLLOW, dir_fd=folder
            )
            os.close(folder)
            folder = inner
        return _read(folder, parts[-1])
    finally:
        os.close(folder)


def _read(folder: int, name: str) -> bytes:
    # Not blocking: opening a FIFO would wait for a writer
    file = os.open(name, os.O_RDONLY | system.O_NOFOLLOW | system.O_NONBLOCK, dir_fd=folder)
    with os.fdopen(file, "rb") as opened:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_BYTES:
            raise FileNotFoundError(name)
        return opened.read()


_ROOT: Final = "web/"  # where the emulator serves the folder
_SOCIAL: Final = frozenset({"og:image", "og:image:url", "og:image:secure_url", "twitter:image"})


class _References(HTMLParser):
    """Collects a page's references to pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.references: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value for name, value in attrs if value}
        if tag in ("img", "source"):
            self.references += [values.get("src", ""), *_candidates(values.get("srcset", ""))]
        elif tag == "a":
            self.references.append(values.get("href", ""))
        elif tag == "meta" and _SOCIAL & {values.get("property"), values.get("name")}:
            self.references.append(values.get("content", ""))


def shown_on(page: str, html: str) -> set[str]:
    """The relative names of the files that a page shows or links to.

    Args:
        page: the page's own relative name.
        html: its text.
    """
    parser = _References()
    parser.feed(html)
    parser.close()
    names = (_name(page, reference) for reference in parser.references)
    return {name for name in names if name is not None}


def _candidates(srcset: str) -> list[str]:
    """The URLs of `a.jpg 1x, b.jpg 2x`."""
    return [words[0] for candidate in srcset.split(",") if (words := candidate.split())]


def _name(page: str, reference: str) -> str | None:
    """The relative name of a reference's target; None if it is outside the folder."""
    try:
        parts = urlsplit(reference.strip())
    except ValueError:
        return None
    if parts.scheme or parts.netloc or not parts.path:
        return None
    path = unquote(parts.path)
    if path.startswith("/"):  # from the root of the emulator, or of the site as it was written
        name = posixpath.normpath(path.lstrip("/").removeprefix(_ROOT))
    else:
        name = posixpath.normpath(posixpath.join(posixpath.dirname(page), path))
    return None if name.startswith("..") else name
