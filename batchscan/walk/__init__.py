"""Which files there are: folders walked and lists read, in blocks of at most 10,000."""

from typing import TypeAlias

from batchscan.walk.block import BLOCK, Block, Counts, Entry
from batchscan.walk.lists import Listing
from batchscan.walk.remote import RemoteWalk
from batchscan.walk.roots import check_roots
from batchscan.walk.tree import Walk

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
