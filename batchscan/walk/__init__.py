"""Finding files: walking folders and reading lists, in blocks of at most 10,000."""

from typing import TypeAlias

from batchscan.walk.block import BLOCK, Block, Entry, WalkCounts
from batchscan.walk.file_lists import FileList
from batchscan.walk.local import LocalWalk
from batchscan.walk.remote import RemoteWalk
from batchscan.walk.roots import check_roots

Finder: TypeAlias = LocalWalk | RemoteWalk | FileList

__all__ = [
    "BLOCK",
    "Block",
    "Entry",
    "FileList",
    "Finder",
    "LocalWalk",
    "RemoteWalk",
    "WalkCounts",
    "check_roots",
]
