"""Which files there are: folders walked and lists read, in blocks of at most 10,000."""

from batchscan.walk.block import BLOCK, Block, Counts, Entry
from batchscan.walk.lists import Listing
from batchscan.walk.roots import check_roots
from batchscan.walk.tree import Walk

__all__ = ["BLOCK", "Block", "Counts", "Entry", "Listing", "Walk", "check_roots"]
