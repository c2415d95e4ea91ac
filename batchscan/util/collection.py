"""Pausing Python's cyclic garbage collector while very many objects are created."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Held:
    """The number of threads that pause it, and whether to enable it afterwards."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.count = 0
        self.was_enabled = False


_held = _Held()


@contextmanager
def collection_held() -> Iterator[None]:
    """Pause the collector during the block, in all threads: for short work without cycles.

    The collector scans new containers repeatedly while their number grows: with it, parsing an
    answer with a hundred thousand matches takes twice as long.
    """
    with _held.lock:
        if not _held.count:
            _held.was_enabled = gc.isenabled()
            gc.disable()
        _held.count += 1
    try:
        yield
    finally:
        with _held.lock:
            _held.count -= 1
            if not _held.count and _held.was_enabled:
                gc.enable()
