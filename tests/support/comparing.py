"""Two pictures compared as the emulator's search does, without its index."""

from __future__ import annotations

from typing import Literal

from batchscan.emulator.matching.alignment import overlaps
from batchscan.emulator.matching.similarity import PARTIAL, PictureFeatures, compare_whole


def compare(one: PictureFeatures, other: PictureFeatures) -> Literal[0, 1] | None:
    kind = compare_whole(one, other)
    if kind is None and any(overlaps(each, other.thumbprint) for each in one.both_ways()):
        return PARTIAL
    return kind
