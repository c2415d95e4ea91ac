"""JPEGs made of pictures when they were compared, kept until it is known which ones are sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from batchscan.model import Image

ROOM: Final = 64 * 1024 * 1024
"""Bytes of them, about a hundred pictures; of more pictures they are made again."""


@dataclass(slots=True)
class KeptConversions:
    """The first of them, by their files' contents."""

    room: int = ROOM
    _made: dict[str, Image] = field(default_factory=dict)
    _held: int = 0

    def put(self, made: Image) -> None:
        """Keep one, if there is room."""
        size = len(made.data)
        if (
            made.sent is not None
            and size  # else a worker has the bytes
            and made.sha256 not in self._made
            and self._held + size <= self.room
        ):
            self._made[made.sha256] = made
            self._held += size

    def take(self, image: Image) -> Image | None:
        """Give what was made of the same file and content, and keep it no longer."""
        made = self._made.get(image.sha256)
        if made is None or (made.path, made.stat) != (image.path, image.stat):
            return None
        self._held -= len(made.data)
        return self._made.pop(image.sha256)
