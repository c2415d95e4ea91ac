"""The environment variables that a scheduled scan needs for pictures in stores."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from batchscan.util.paths import is_url

# Where a store's own library looks.
_OPEN = (
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "AZURE_STORAGE_ACCOUNT_NAME",
    "AZURE_STORAGE_ANON",
)
_SECRET = (
    "AWS_ACCESS_KEY_ID",  # no secret, but it goes with one
    "AWS_SECRET_ACCESS_KEY",
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_CONNECTION_STRING",
    "AZURE_STORAGE_SAS_TOKEN",
)


@dataclass(frozen=True, slots=True)
class ScanLocations:
    """Where a scan's pictures are."""

    roots: tuple[str, ...]  # absolute, or URLs

    @property
    def local(self) -> tuple[str, ...]:
        """Those on this machine."""
        return tuple(root for root in self.roots if not is_url(root))

    @property
    def in_stores(self) -> bool:
        """Whether some are in a store."""
        return len(self.local) < len(self.roots)

    def environment(self) -> Iterator[tuple[str, str]]:
        """The set variables that the stores' libraries need and that are not secret."""
        for name in _OPEN if self.in_stores else ():
            if os.environ.get(name) and "@" not in os.environ[name]:
                yield name, os.environ[name]

    def secrets(self) -> Iterator[str]:
        """The names of what is set and secret."""
        for name in _SECRET if self.in_stores else ():
            if os.environ.get(name):
                yield name

    def uses(self) -> Iterator[str]:
        """Paths that are read: the pictures, and the home where credentials are looked for."""
        yield from self.local
        if self.in_stores:
            yield os.path.expanduser("~")
