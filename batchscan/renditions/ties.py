"""Deciding whether two candidate files are one picture, by their thumbnails and by users."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from typing import Final, NamedTuple

from batchscan.rendition_types import JOINED_RULE, RAW_RULE, SAME_FILE, Fingerprint, Tie
from batchscan.renditions.fingerprint import distance
from batchscan.renditions.rule import (
    MAX_DISTANCE_OF_RAW,
    RULE,
    likeness,
)

_ORIGINALS: Final = ("raw", "heic")  # formats that lie beside their JPEG
_PIXEL: Final = re.compile(r"\.RAW-\d+(\.MP)?\.(COVER|ORIGINAL)$", re.IGNORECASE)
"""The endings of a Pixel phone's pair of names; MP is a motion photo."""


class Compared(NamedTuple):
    """The properties by which a file is compared with others."""

    path: str
    sha256: str
    format: str
    fingerprint: Fingerprint | None  # with its thumbnail, where there is one


def tie(
    one: Compared,
    other: Compared,
    alone: Collection[str] = (),
    joined: Collection[frozenset[str]] = (),
) -> Tie | None:
    """Whether two files are one picture; the order does not matter.

    Args:
        one: a file.
        other: another one.
        alone: contents that users have split from all others.
        joined: pairs of contents that users have joined.
    """
    if one.sha256 == other.sha256:
        return Tie(0, 0, SAME_FILE)
    if one.sha256 in alone or other.sha256 in alone:
        return None
    people = frozenset((one.sha256, other.sha256)) in joined
    first, second = one.fingerprint, other.fingerprint
    if first is None or second is None or not (first.thumbnail and second.thumbnail):
        return Tie(256, 255, JOINED_RULE) if people else None  # nothing is known of how alike
    alike = likeness(first, second)
    if alike.same:
        return Tie(alike.distance, alike.difference, RULE)
    rule = JOINED_RULE if people else RAW_RULE if _beside(one, other) else None
    return None if rule is None else Tie(alike.distance, alike.difference, rule)


def _beside(one: Compared, other: Compared) -> bool:
    """Whether one is the RAW or HEIC of a moment, and the other its JPEG beside it."""
    if (one.format in _ORIGINALS) == (other.format in _ORIGINALS):
        return False
    first, second = one.fingerprint, other.fingerprint
    if first is None or second is None or not first.taken or first.taken != second.taken:
        return False
    bits = distance(first.hash, second.hash)
    return bits <= MAX_DISTANCE_OF_RAW and _stem(one) == _stem(other)


def _stem(file: Compared) -> str:
    return _PIXEL.sub("", os.path.splitext(file.path)[0])
