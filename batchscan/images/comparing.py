"""Comparing two files closely: whether one picture is a version of the other, pixel by pixel."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from typing import Final, NamedTuple

from batchscan.images.close_ups import make_close_up
from batchscan.images.decoding.pool import Decoders
from batchscan.images.judge import Judge
from batchscan.images.read import inspect
from batchscan.images.rules import Rules
from batchscan.images.sending import is_converted, make_sendable
from batchscan.model import Candidate, NotSendable
from batchscan.rendition_types import CloseUp
from batchscan.util.weighted_semaphore import WeightedSemaphore

ROOM: Final = 64 * 1024 * 1024
"""Bytes of close-ups that are kept: a family's files are compared several times."""


class Content(NamedTuple):
    """The files of one content, and its hash when they were inspected."""

    places: tuple[Candidate, ...]  # the first one that still has it is read
    sha256: str


class CloseComparer:
    """Compares files; thread-safe."""

    def __init__(
        self,
        judge: Judge,
        decoders: Decoders,
        rules: Rules,
        pixels: WeightedSemaphore,
        *,
        follow: bool,
    ) -> None:
        """Use what the inspector uses; `follow` is whether links are followed."""
        self._judge = judge
        self._decoders = decoders
        self._rules = rules
        self._pixels = pixels
        self._follow = follow
        self._kept = OrderedDict[str, CloseUp]()
        self._room = ROOM
        self._lock = threading.Lock()

    def deviation(self, one: Content, other: Content) -> float:
        """How far two files are from being versions; up to 1 they are. Blocking.

        Infinite if one of them is not what it was, or cannot be decoded any more.
        """
        from batchscan.renditions.close_look import (  # noqa: PLC0415 - numpy is slow to import
            deviation,
        )

        first, second = self._close_up(one), self._close_up(other)
        if first is None or second is None:
            return math.inf
        return deviation(first, second)

    def _close_up(self, file: Content) -> CloseUp | None:
        with self._lock:
            if file.sha256 in self._kept:
                self._kept.move_to_end(file.sha256)
                return self._kept[file.sha256]
        for place in file.places:
            made = self._made(place, file.sha256)
            if made is not None:
                self._keep(file.sha256, made)
                return made
        return None

    def _made(self, place: Candidate, sha256: str) -> CloseUp | None:
        found = inspect(place, self._judge, self._rules, follow=self._follow, convert=True)
        if isinstance(found, NotSendable) or found.sha256 != sha256:
            return None
        if is_converted(found) and not found.ready:
            ready = make_sendable(found, self._decoders, self._rules)
            if isinstance(ready, NotSendable):
                return None
            found = ready
        return make_close_up(found, self._pixels)

    def _keep(self, sha256: str, made: CloseUp) -> None:
        with self._lock:
            if sha256 in self._kept:
                return
            self._kept[sha256] = made
            self._room -= _weight(made)
            while self._room < 0:
                _, oldest = self._kept.popitem(last=False)
                self._room += _weight(oldest)


def _weight(found: CloseUp) -> int:
    return sum(map(len, found.planes))
