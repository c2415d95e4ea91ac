"""Comparing two files by their pixels: whether one picture is a version of the other."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, NamedTuple

from batchscan.images.judge import Judge
from batchscan.images.read import inspect
from batchscan.images.rules import Rules
from batchscan.images.sending import is_converted, make_sendable
from batchscan.model import Candidate, NotSendable
from batchscan.util.weighted_semaphore import WeightedSemaphore

if TYPE_CHECKING:
    from batchscan.renditions.pixels import Pixels

_KEPT: Final = 2
"""Pictures whose pixels are kept: the best one of a family is compared with all others."""


class Content(NamedTuple):
    """The files of one content, and its hash when they were inspected."""

    places: tuple[Candidate, ...]  # the first one that still has it is read
    sha256: str


class PixelComparer:
    """Compares files; thread-safe."""

    def __init__(
        self, judge: Judge, rules: Rules, pixels: WeightedSemaphore, *, follow: bool
    ) -> None:
        """Use what the inspector uses; `follow` is whether links are followed."""
        self._judge = judge
        self._rules = rules
        self._pixels = pixels
        self._follow = follow
        self._kept = OrderedDict[str, "Pixels"]()
        self._lock = threading.Lock()

    def deviation(self, one: Content, other: Content) -> float:
        """How far two files are from being versions; up to 1 they are. Blocking.

        Infinite if one of them is not what it was, or cannot be decoded any more.
        """
        from batchscan.renditions.pixel_comparison import (  # noqa: PLC0415 - numpy is slow
            deviation,
        )

        try:
            first, second = self._pixels_of(one), self._pixels_of(other)
            if first is None or second is None:
                return math.inf
            return deviation(first, second)
        except MemoryError:
            return math.inf

    def _pixels_of(self, file: Content) -> Pixels | None:
        with self._lock:
            if file.sha256 in self._kept:
                self._kept.move_to_end(file.sha256)
                return self._kept[file.sha256]
        for place in file.places:
            made = self._made(place, file.sha256)
            if made is not None:
                with self._lock:
                    self._kept[file.sha256] = made
                    while len(self._kept) > _KEPT:
                        self._kept.popitem(last=False)
                return made
        return None

    def _made(self, place: Candidate, sha256: str) -> Pixels | None:
        from batchscan.images.pixel_copies import make_pixels  # noqa: PLC0415 - as above

        found = inspect(place, self._judge, self._rules, follow=self._follow, convert=True)
        if isinstance(found, NotSendable) or found.sha256 != sha256:
            return None
        if is_converted(found) and not found.ready:
            ready = make_sendable(found, self._judge.decoders, self._rules)
            if isinstance(ready, NotSendable):
                return None
            found = ready
        return make_pixels(found, self._pixels)
