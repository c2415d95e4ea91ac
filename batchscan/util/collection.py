"""Python's cyclic garbage collector, held back where very many objects are made at once."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Held:
    """How many threads hold it back, and whether it is to run again after them."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.count = 0
        self.was_enabled = False


_held = _Held()


@contextmanager
def collection_held() -> Iterator[None]:
    """Collect no cycles inside, in any thread: for work of a second that makes none.

    The collector looks at all new containers again and again while there are more of them: reading
    an answer with a hundred thousand matches takes twice as long then.
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
