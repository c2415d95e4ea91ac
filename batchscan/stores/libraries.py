"""The stores' libraries, imported when they are first needed."""

from __future__ import annotations

import importlib
from typing import Any

from batchscan.about import install_line
from batchscan.errors import UsageError

CLOSING = 5.0  # seconds: a store that has gone away is not waited for
# Their caches would hold whole listings.
UNCACHED = {"use_listings_cache": False}


def library(module: str, extra: str) -> Any:
    """Import a store's library.

    Args:
        module: its name.
        extra: ours that installs it.

    Raises:
        UsageError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UsageError(
            f"reading from there needs {module}, which cannot be imported ({error})",
            advice=install_line(extra),
        ) from error


def filesystem(module: str, extra: str, name: str, **options: Any) -> Any:
    """Open one of fsspec's file systems, as one of its own.

    Raises:
        UsageError: the library is not installed.
    """
    kind = getattr(library(module, extra), name)
    return kind(skip_instance_cache=True, **options)
