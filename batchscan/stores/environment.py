"""The environment variables that a scheduled scan needs for pictures in stores."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from batchscan.store_kinds import STORES
from batchscan.util.paths import is_url

_OPEN = tuple(name for kind in STORES.values() for name in kind.environment)
_SECRET = tuple(name for kind in STORES.values() for name in kind.secrets)


@dataclass(frozen=True, slots=True)
class ScanLocations:
    """The locations of a scan's pictures."""

    roots: tuple[str, ...]  # absolute, or URLs

    @property
    def local(self) -> tuple[str, ...]:
        """The roots that are paths on this machine."""
        return tuple(root for root in self.roots if not is_url(root))

    @property
    def in_stores(self) -> bool:
        """Whether any are in a store."""
        return len(self.local) < len(self.roots)

    def environment(self) -> Iterator[tuple[str, str]]:
        """The set variables that the stores' libraries need and that are not secret."""
        for name in _OPEN if self.in_stores else ():
            if os.environ.get(name) and "@" not in os.environ[name]:
                yield name, os.environ[name]

    def secrets(self) -> Iterator[str]:
        """The names of the set variables that are secret."""
        for name in _SECRET if self.in_stores else ():
            if os.environ.get(name):
                yield name

    def uses(self) -> Iterator[str]:
        """Paths that are read: the pictures, and the home folder if it may have credentials."""
        yield from self.local
        if self.in_stores:
            yield os.path.expanduser("~")
