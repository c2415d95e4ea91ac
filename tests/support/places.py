"""Folders to walk, and what a walk says of them."""

import os
import tempfile
from pathlib import Path

from batchscan.settings import Scan
from batchscan.walk import Block, LocalWalk

EXTENSIONS = frozenset({".jpg", ".png", ".gif"})


def reads_everything() -> bool:
    """Whether permissions stop nobody here, as for the superuser."""
    with tempfile.NamedTemporaryFile() as file:
        os.chmod(file.name, 0)
        return os.access(file.name, os.R_OK)


def touch(root: Path, *names: str) -> Path:
    """Make empty files below a folder."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return root


def walk(*roots: Path | str, never=(), **rules) -> LocalWalk:
    return LocalWalk(
        [str(root) for root in roots],
        Scan(**rules),
        extensions=EXTENSIONS,
        never=[str(path) for path in never],
    )


def names(blocks: list[Block], below: Path | str = "/") -> list[str]:
    """The paths of a walk's pictures relative to a folder, in the order they came."""
    return [
        os.path.relpath(os.path.join(block.folder, entry[0]), below)
        for block in blocks
        for entry in block.entries
    ]


def found(folder: Path, **rules) -> list[str]:
    """Walk one folder; its pictures, sorted."""
    return sorted(names(list(walk(folder, **rules).blocks()), folder))
