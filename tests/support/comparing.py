"""Two pictures compared as the emulator's search does, without its index."""

from __future__ import annotations

from typing import Literal

from batchscan.emulator.matching.alignment import overlaps
from batchscan.emulator.matching.similarity import PARTIAL, Fingerprint, compare_whole


def compare(one: Fingerprint, other: Fingerprint) -> Literal[0, 1] | None:
    kind = compare_whole(one, other)
    if kind is None and any(overlaps(each, other.thumbprint) for each in one.both_ways()):
        return PARTIAL
    return kind
