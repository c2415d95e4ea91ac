"""Which files there are: folders walked and lists read, in blocks of at most 10,000."""

from typing import TypeAlias

from batchscan.walk.block import BLOCK, Block, Counts, Entry
from batchscan.walk.file_lists import Listing
from batchscan.walk.local import Walk
from batchscan.walk.remote import RemoteWalk
from batchscan.walk.roots import check_roots

Finder: TypeAlias = Walk | RemoteWalk | Listing

__all__ = [
    "BLOCK",
    "Block",
    "Counts",
    "Entry",
    "Finder",
    "Listing",
    "RemoteWalk",
    "Walk",
    "check_roots",
]
