"""An index of a web's pictures: their features, and the pages that show them."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from batchscan.emulator.matching.alignment import MIN_AGREEING, overlaps
from batchscan.emulator.matching.keypoints import ALIKE, Floats, Keypoints
from batchscan.emulator.matching.similarity import (
    FULL,
    PARTIAL,
    PictureFeatures,
    compare_whole,
    fingerprint,
)
from batchscan.emulator.web_files import PAGES, content_type, read_below, shown_on, web_files

_BLOCK: Final = 256  # pictures compared at once: with some 100 keypoints each, 10 MB


@dataclass(slots=True)
class DescriptorIndex:
    """An index of keypoints; pictures are numbered 0, 1, 2... in the order they are added."""

    _looks: list[Floats] = field(default_factory=list)  # whole blocks
    _sizes: list[int] = field(default_factory=list)  # keypoints of each picture
    _latest: list[Floats] = field(default_factory=list)  # of the block that is not whole yet

    def add(self, marks: Keypoints) -> None:
        """Add the next picture's keypoints."""
        self._sizes.append(len(marks.descriptors))
        self._latest.append(marks.descriptors)
        if len(self._latest) == _BLOCK:
            self._looks.append(np.concatenate(self._latest))
            self._latest.clear()

    def likely(self, marks: Keypoints) -> list[int]:
        """The numbers of pictures with enough keypoints similar to these."""
        if not len(marks.descriptors) or not self._sizes:
            return []
        alike = np.concatenate(
            [(looks @ marks.descriptors.T).max(axis=1) for looks in self._blocks()]
        )
        owners = np.repeat(np.arange(len(self._sizes)), self._sizes)
        counts = np.bincount(owners[alike > ALIKE], minlength=len(self._sizes))
        numbers: list[int] = np.nonzero(counts >= MIN_AGREEING)[0].tolist()
        return numbers

    def _blocks(self) -> Iterator[Floats]:
        yield from self._looks
        if self._latest:
            yield np.concatenate(self._latest)


_log = logging.getLogger(__name__)
_PAGE_BYTES: Final = 5_000_000


class FoundCopy(NamedTuple):
    """A similar picture of the index; `kind` is 0 for full, 1 for partial."""

    name: str
    kind: int
    pages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _IndexedPicture:
    name: str
    sha256: str
    fingerprint: PictureFeatures


@dataclass(slots=True)
class Index:
    """All pictures and pages of a web; immutable after `build`."""

    _pictures: list[_IndexedPicture] = field(default_factory=list)
    _pages: dict[str, list[str]] = field(default_factory=dict)  # by the picture's name
    _register: DescriptorIndex = field(
        default_factory=DescriptorIndex
    )  # of keypoints, by the picture's number

    @classmethod
    def build(cls, root: Path, stop: threading.Event) -> Index:
        """Read every picture and page below a folder; `stop` ends it early."""
        index = cls()
        for name in web_files(root):
            if stop.is_set():
                break
            index._add(root, name)
        return index

    def find(self, sha256: str, wanted: PictureFeatures | None) -> list[FoundCopy]:
        """The similar pictures; without features, only those with the same bytes."""
        return [
            FoundCopy(picture.name, kind, tuple(self._pages.get(picture.name, ())))
            for picture, kind in self._alike(sha256, wanted)
        ]

    def _alike(
        self, sha256: str, wanted: PictureFeatures | None
    ) -> Iterator[tuple[_IndexedPicture, int]]:
        parts = set() if wanted is None else self._parts(wanted)
        for number, picture in enumerate(self._pictures):
            kind = _kind_of(picture, sha256, wanted)
            if kind is None and number in parts:
                kind = PARTIAL
            if kind is not None:
                yield picture, kind

    def _parts(self, wanted: PictureFeatures) -> set[int]:
        """The numbers of pictures that contain most of this one, or are contained in it."""
        return {
            number
            for sketch in wanted.both_ways()
            for number in self._register.likely(sketch.marks)
            if overlaps(sketch, self._pictures[number].fingerprint.thumbprint)
        }

    def _add(self, root: Path, name: str) -> None:
        try:
            data = read_below(root, name)
            if content_type(name) in PAGES.values():
                self._add_page(name, data)
            else:
                sha256 = hashlib.sha256(data).hexdigest()
                features = fingerprint(data)
                self._register.add(features.thumbprint.marks)
                self._pictures.append(_IndexedPicture(name, sha256, features))
        except Exception as error:  # noqa: BLE001 - decoder boundary: a broken file is not found
            _log.debug("not in the index: %s: %s", name, error)

    def _add_page(self, name: str, data: bytes) -> None:
        for shown in sorted(shown_on(name, data[:_PAGE_BYTES].decode("utf-8", "replace"))):
            self._pages.setdefault(shown, []).append(name)


def _kind_of(picture: _IndexedPicture, sha256: str, wanted: PictureFeatures | None) -> int | None:
    if picture.sha256 == sha256:
        return FULL
    return None if wanted is None else compare_whole(wanted, picture.fingerprint)
