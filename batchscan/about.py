"""What this program is called where it introduces itself."""

from __future__ import annotations

from functools import cache
from importlib import metadata


@cache
def version() -> str:
    """The installed version."""
    return metadata.version("batchscan")


def user_agent() -> str:
    """The honest name that the vendor's servers see."""
    return f"batchscan/{version()}"
