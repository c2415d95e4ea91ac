"""Capture files on disk: reading, verifying and copying them."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final

from batchscan.ledger.captures import KeptFile
from batchscan.util.atomic_file import make_folder, storage_errors, write_atomic

FOLDER: Final = "captures"
"""The name of the folder in the state folder."""

SUFFIX: Final = ".tsr"
"""Suffix of the file with the timestamp authority's answer, verbatim."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_BLOCK: Final = 1_048_576  # bytes
_ADVICE: Final = "or name a file on another disk"


def blocks_of(folder: str, file: KeptFile) -> Iterator[bytes]:
    """A capture's bytes.

    Raises:
        OSError: it cannot be read.
    """
    with open(os.path.join(folder, file.name), "rb") as opened:
        while block := opened.read(_BLOCK):
            yield block


def trouble_with(folder: str, file: KeptFile) -> str | None:
    """Describe the damage of a capture's file; None if it is as it was written.

    Args:
        folder: where captures are.
        file: its entry in the ledger.
    """
    if not _NAME.fullmatch(file.name):
        return "its name is not that of a capture"
    digest = hashlib.sha256()
    try:
        for block in blocks_of(folder, file):
            digest.update(block)
    except FileNotFoundError:
        return "it does not exist"
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    return None if digest.hexdigest() == file.sha256 else "it was altered after the capture"


def copy_all(folder: str, files: Iterable[KeptFile], target: str) -> list[tuple[str, str]]:
    """Copy captures with their timestamps into a new folder, except damaged ones.

    Args:
        folder: where captures are.
        files: which.
        target: the new folder, which must not exist.

    Returns:
        The names of those that were not copied, and why.

    Raises:
        StorageError: they cannot be written; the new folder is removed.
    """
    left = []
    with storage_errors(target, _ADVICE):
        make_folder(target)
    try:
        for file in files:
            if (trouble := trouble_with(folder, file)) is not None:
                left.append((file.name, trouble))
                continue
            path = os.path.join(target, file.name)
            write_atomic(path, blocks_of(folder, file), advice=_ADVICE)
            stamp = os.path.join(folder, f"{file.name}{SUFFIX}")
            with suppress(FileNotFoundError), open(stamp, "rb") as opened:
                write_atomic(f"{path}{SUFFIX}", [opened.read()], advice=_ADVICE)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise
    return left
