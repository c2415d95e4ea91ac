"""All hashes within a few bits of one, exactly, among a million, in little memory.

Hashes that differ in fewer bits than there are slots agree in one slot at least (the pigeonhole
principle): 16 slots of 16 bits find every pair within 15 bits. Each slot keeps the numbers of the
hashes sorted by its value: 4 bytes a hash and slot.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from batchscan.renditions.fingerprint import HASH_BYTES

SLOTS: Final = 16
MAX_EXACT_DISTANCE: Final = SLOTS - 1
_SLOT_VALUES: Final = 1 << 16
_WORDS: Final = HASH_BYTES // 8
_MERGE_AT: Final = 4096  # hashes that are compared one by one before they are sorted in

_BLOCK: Final = 2048  # hashes whose neighbours are looked for at once

_Hashes = npt.NDArray[np.uint64]
_Numbers = npt.NDArray[np.uint32]


class Near(NamedTuple):
    """A hash near the one that was asked about."""

    number: int  # as `add` gave it
    distance: int  # bits


class HashIndex:
    """Hashes, numbered in the order in which they were added from 0."""

    def __init__(self, hashes: Iterable[bytes] = ()) -> None:
        """Start with hashes of `HASH_BYTES` each."""
        joined = b"".join(hashes)
        self._hashes: _Hashes = np.frombuffer(joined, np.uint64).reshape(-1, _WORDS)
        self._recent: list[bytes] = []
        self._sort()

    def __len__(self) -> int:
        return len(self._hashes) + len(self._recent)

    def add(self, added: bytes) -> int:
        """Add a hash; its number."""
        self._recent.append(added)
        if len(self._recent) >= _MERGE_AT:
            self._merge()
        return len(self) - 1

    def near(self, wanted: bytes, limit: int = MAX_EXACT_DISTANCE) -> list[Near]:
        """Every hash within `limit` bits, at most 15, by number."""
        if limit > MAX_EXACT_DISTANCE:
            raise ValueError(f"more than {MAX_EXACT_DISTANCE} bits are not found for certain")
        word = np.frombuffer(wanted, np.uint64)
        found = self._candidates(wanted)
        distances = _bits(self._hashes[found] ^ word)
        close = distances <= limit
        near = [Near(int(n), int(d)) for n, d in zip(found[close], distances[close], strict=True)]
        first = len(self._hashes)
        for number, recent in enumerate(self._recent, first):
            bits = (int.from_bytes(recent, "big") ^ int.from_bytes(wanted, "big")).bit_count()
            if bits <= limit:
                near.append(Near(number, bits))
        return near

    def pairs(self, limit: int = MAX_EXACT_DISTANCE) -> Iterator[tuple[int, int, int]]:
        """Each pair within `limit` bits, at most 15, once: two numbers, rising, and the bits."""
        self._merge()
        for first in range(0, len(self._hashes), _BLOCK):
            block = np.arange(first, min(first + _BLOCK, len(self._hashes)), dtype=np.uint32)
            yield from np.unique(self._pairs_of(block, limit), axis=0).tolist()

    def _pairs_of(self, block: _Numbers, limit: int) -> npt.NDArray[np.int64]:
        """Pairs of a block's hashes with later ones; one for each slot in which they agree."""
        parts = []
        for slot in range(SLOTS):
            values = self._hashes[block].view(np.uint16).reshape(-1, SLOTS)[:, slot].astype(int)
            starts = self._starts[slot][values].astype(np.int64)
            counts = self._starts[slot][values + 1] - starts
            ones = np.repeat(block, counts)
            ends = np.cumsum(counts)
            places = np.arange(len(ones)) + np.repeat(starts - (ends - counts), counts)
            others = self._order[slot][places]
            later = others > ones
            ones, others = ones[later], others[later]
            bits = _bits(self._hashes[ones] ^ self._hashes[others])
            close = bits <= limit
            parts.append(np.stack((ones[close], others[close], bits[close]), axis=1))
        return np.concatenate(parts).astype(np.int64)

    def _merge(self) -> None:
        if self._recent:
            recent = np.frombuffer(b"".join(self._recent), np.uint64).reshape(-1, _WORDS)
            self._hashes = np.concatenate((self._hashes, recent))
            self._recent.clear()
            self._sort()

    def _sort(self) -> None:
        slots = self._hashes.view(np.uint16).reshape(-1, SLOTS)
        self._order: list[_Numbers] = []
        self._starts: list[_Numbers] = []
        for slot in range(SLOTS):
            column = np.ascontiguousarray(slots[:, slot])
            self._order.append(np.argsort(column, kind="stable").astype(np.uint32))
            counts = np.bincount(column, minlength=_SLOT_VALUES)
            starts = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)))
            self._starts.append(starts.astype(np.uint32))

    def _candidates(self, wanted: bytes) -> _Numbers:
        """The sorted hashes that share a slot's value, each once."""
        values = np.frombuffer(wanted, np.uint16)
        parts = [
            order[starts[value] : starts[int(value) + 1]]
            for order, starts, value in zip(self._order, self._starts, values, strict=True)
        ]
        return np.unique(np.concatenate(parts))


def _bits(words: _Hashes) -> npt.NDArray[np.int64]:
    return np.asarray(np.bitwise_count(words).sum(axis=1, dtype=np.int64))
