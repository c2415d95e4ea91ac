"""A weighted semaphore for threads, to bound the pixels decoded at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class WeightedSemaphore:
    """Admits threads while the sum of their weights stays within the capacity.

    First come, first served, so that a large picture does not starve.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._free = capacity
        self._turn = threading.Lock()
        self._changed = threading.Condition()

    @contextmanager
    def hold(self, weight: int) -> Iterator[None]:
        """Wait for room and take it; a weight above the capacity takes all of it."""
        weight = min(weight, self._capacity)
        with self._turn, self._changed:
            self._changed.wait_for(lambda: self._free >= weight)
            self._free -= weight
        try:
            yield
        finally:
            with self._changed:
                self._free += weight
                self._changed.notify()

    def __repr__(self) -> str:
        return f"<WeightedSemaphore {self._free:,} of {self._capacity:,} free>"
