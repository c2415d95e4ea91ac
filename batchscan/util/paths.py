"""Paths of files, and of objects in stores, whose path is their URL.

`s3://bucket/a//b.jpg` and `s3://bucket/a/b.jpg` are different objects, so paths are not normalized.
"""

from __future__ import annotations

import re
from typing import AnyStr

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def is_url(path: str | bytes) -> bool:
    """Whether a path is an object's in a store: it begins with a `word://`."""
    text = path if isinstance(path, str) else path[:64].decode("latin-1")
    return text[:1] != "/" and _SCHEME.match(text) is not None


def join_path(folder: AnyStr, name: AnyStr) -> AnyStr:
    """The path of a file in a folder; what `split_path` takes apart again."""
    slash = _slash(folder)
    return folder + name if folder == slash else folder + slash + name


def split_path(path: AnyStr) -> tuple[AnyStr, AnyStr]:
    """The folder and the name of a file's whole path."""
    slash = _slash(path)
    folder, _, name = path.rpartition(slash)
    return (folder or slash, name)


def _slash(like: AnyStr) -> AnyStr:
    if isinstance(like, str):
        return "/"
    return b"/"
