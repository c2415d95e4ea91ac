"""Counting pictures at or below each folder."""

from __future__ import annotations

from collections import Counter

MAX_FOLDERS = 20_000  # that are counted; those that come later are not


class FolderCounts:
    """Counts pictures by the folders above them."""

    def __init__(self) -> None:
        self._counts: Counter[bytes] = Counter()
        self.pictures = 0

    def add(self, path: bytes) -> None:
        """Enter a picture."""
        self.pictures += 1
        end = path.find(b"/")
        while end >= 0:
            folder = path[: end + 1]
            if folder in self._counts or len(self._counts) < MAX_FOLDERS:
                self._counts[folder] += 1
            end = path.find(b"/", end + 1)

    def below_shared(self) -> dict[bytes, int]:
        """The folders below the deepest one that holds all pictures, in the order of their names."""
        return {
            folder: number
            for folder, number in sorted(self._counts.items())
            if number < self.pictures
        }
