"""The landmarks of many pictures, asked all at once which of the pictures are worth a closer look."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from batchscan.emulator.landmarks import ALIKE, Floats, Landmarks
from batchscan.emulator.placing import AGREEING

_BLOCK: Final = 256  # pictures compared at once: with some 100 landmarks each, 10 MB


@dataclass(slots=True)
class Register:
    """Pictures have the numbers 0, 1, 2... in the order in which they are added."""

    _looks: list[Floats] = field(default_factory=list)  # whole blocks
    _sizes: list[int] = field(default_factory=list)  # landmarks of each picture
    _latest: list[Floats] = field(default_factory=list)  # of the block that is not whole yet

    def add(self, marks: Landmarks) -> None:
        """Take in the next picture's landmarks."""
        self._sizes.append(len(marks.looks))
        self._latest.append(marks.looks)
        if len(self._latest) == _BLOCK:
            self._looks.append(np.concatenate(self._latest))
            self._latest.clear()

    def likely(self, marks: Landmarks) -> list[int]:
        """The numbers of the pictures of which enough landmarks look like one of these."""
        if not len(marks.looks) or not self._sizes:
            return []
        alike = np.concatenate([(looks @ marks.looks.T).max(axis=1) for looks in self._blocks()])
        owners = np.repeat(np.arange(len(self._sizes)), self._sizes)
        counts = np.bincount(owners[alike > ALIKE], minlength=len(self._sizes))
        found: list[int] = np.nonzero(counts >= AGREEING)[0].tolist()
        return found

    def _blocks(self) -> Iterator[Floats]:
        yield from self._looks
        if self._latest:
            yield np.concatenate(self._latest)
