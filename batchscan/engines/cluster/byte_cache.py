"""The bytes of inspected pictures on a worker, until they are sent: bounded, oldest out first."""

from __future__ import annotations

from collections import OrderedDict


class ByteCache:
    """Keeps bytes by path and content."""

    def __init__(self, room: int) -> None:
        """Prepare; `room` is in bytes."""
        self.room = room
        self._kept: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._size = 0

    def put(self, path: str, sha256: str, data: bytes) -> None:
        """Keep a picture; what lies there longest goes where the room is too small."""
        self.drop(path, sha256)
        self._kept[path, sha256] = data
        self._size += len(data)
        while self._size > self.room:
            _, gone = self._kept.popitem(last=False)
            self._size -= len(gone)

    def get(self, path: str, sha256: str) -> bytes | None:
        """A picture's bytes, or None where they are gone."""
        return self._kept.get((path, sha256))

    def drop(self, path: str, sha256: str) -> None:
        """Forget a picture."""
        data = self._kept.pop((path, sha256), None)
        if data is not None:
            self._size -= len(data)

    def clear(self) -> None:
        """Forget all."""
        self._kept.clear()
        self._size = 0
