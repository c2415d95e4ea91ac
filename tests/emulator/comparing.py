"""Two pictures compared as the emulator's search does, without its index."""

from __future__ import annotations

from typing import Literal

from batchscan.emulator.matching.alignment import overlap
from batchscan.emulator.matching.similarity import PARTIAL, Likeness, compare_whole


def compare(one: Likeness, other: Likeness) -> Literal[0, 1] | None:
    kind = compare_whole(one, other)
    if kind is None and any(overlap(each, other.sketch) for each in one.both_ways()):
        return PARTIAL
    return kind
