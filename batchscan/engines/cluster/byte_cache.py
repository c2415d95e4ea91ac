"""A bounded cache for the bytes of inspected pictures on a worker, until they are sent."""

from __future__ import annotations

from collections import OrderedDict


class ByteCache:
    """Bytes by path and SHA-256; the oldest are evicted first."""

    def __init__(self, room: int) -> None:
        """Hold at most `room` bytes."""
        self.room = room
        self._kept: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._size = 0

    def put(self, path: str, sha256: str, data: bytes) -> None:
        """Add a picture, evicting the oldest ones if there is no room."""
        self.drop(path, sha256)
        self._kept[path, sha256] = data
        self._size += len(data)
        while self._size > self.room:
            _, evicted = self._kept.popitem(last=False)
            self._size -= len(evicted)

    def get(self, path: str, sha256: str) -> bytes | None:
        """A picture's bytes; None if they were evicted."""
        return self._kept.get((path, sha256))

    def drop(self, path: str, sha256: str) -> None:
        """Remove the bytes of a picture, if they are there."""
        data = self._kept.pop((path, sha256), None)
        if data is not None:
            self._size -= len(data)

    def clear(self) -> None:
        """Remove the bytes of all pictures."""
        self._kept.clear()
        self._size = 0
