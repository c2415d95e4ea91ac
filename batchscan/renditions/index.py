"""All pairs of hashes within a few bits of each other, exactly, among a million.

Hashes that differ in fewer bits than there are slots agree in one slot at least (the pigeonhole
principle): 16 slots of 16 bits find every pair within 15 bits. For each slot the hashes are sorted
by its value, and each is compared with those behind it that have the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from batchscan.renditions.rule import MAX_DISTANCE

HASH_BYTES: Final = 32
_SLOTS: Final = 16
_WORDS: Final = HASH_BYTES // 8
_SLOTS_A_WORD: Final = _SLOTS // _WORDS

MAX_ALIKE: Final = 1024
"""Hashes with the same value of a slot that one is compared with: those of thousands of frames of
one scene are not all compared with all, which can only mean that more is asked about."""

MAX_PAIRS_EACH: Final = 4
"""Pairs that a slot gives for each hash, on average; as above."""

Hashes = npt.NDArray[np.uint64]
Pairs = npt.NDArray[np.int64]
"""Rows of an earlier picture, a later one, and the bits between the two."""


def packed(hashes: list[bytes]) -> Hashes:
    """Hashes as rows of words."""
    return np.frombuffer(b"".join(hashes), np.uint64).reshape(-1, _WORDS)


def near_pairs(hashes: Hashes, first_later: int = 0) -> Iterator[Pairs]:
    """Each pair within the rule's distance once, in several blocks of rows.

    Args:
        hashes: numbered from 0.
        first_later: where the later one of a pair begins; pairs of what is before are left out.
    """
    slots = hashes.view(np.uint16).reshape(-1, _SLOTS)
    for slot in range(_SLOTS):
        column = np.ascontiguousarray(slots[:, slot])
        order = np.argsort(column, kind="stable")
        values = column[order]
        # Comparing a word without the slot excludes most pairs.
        glance = hashes[order, (slot // _SLOTS_A_WORD + 1) % _WORDS]
        left = MAX_PAIRS_EACH * len(hashes) + MAX_ALIKE
        asking = np.arange(len(hashes))
        for step in range(1, MAX_ALIKE):
            asking = asking[asking < len(hashes) - step]
            asking = asking[values[asking] == values[asking + step]]
            if not len(asking) or left <= 0:
                break
            bits = np.bitwise_count(glance[asking] ^ glance[asking + step])
            near = asking[bits <= MAX_DISTANCE]
            pairs = _pairs(hashes, slots, slot, order[near], order[near + step])
            pairs = pairs[pairs[:, 1] >= first_later]
            left -= len(pairs)
            yield pairs


def _pairs(
    hashes: Hashes,
    slots: npt.NDArray[np.uint16],
    slot: int,
    ones: npt.NDArray[np.int64],
    others: npt.NDArray[np.int64],
) -> Pairs:
    """The near pairs that agree in no slot before this one."""
    bits = np.bitwise_count(hashes[ones] ^ hashes[others]).sum(axis=1)
    before = (slots[ones, :slot] == slots[others, :slot]).any(axis=1)
    close = (bits <= MAX_DISTANCE) & ~before
    return np.stack((ones[close], others[close], bits[close]), axis=1).astype(np.int64)
