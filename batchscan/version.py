"""What this program is called where it introduces itself."""

from __future__ import annotations

import shlex
from functools import cache
from importlib import metadata

_NAME = "batchscan"


@cache
def version() -> str:
    """The installed version."""
    return metadata.version(_NAME)


def user_agent() -> str:
    """The honest name that the vendor's servers see."""
    return f"batchscan/{version()}"


def install_line(extra: str) -> str:
    """The command that brings what one of our extras needs.

    It names the packages rather than `batchscan[extra]`, which would look for batchscan where it
    may not have come from.
    """
    marker = f'extra == "{extra}"'
    try:
        required = metadata.requires(_NAME) or []
    except metadata.PackageNotFoundError:
        required = []
    wanted = [
        each.partition(";")[0].strip() for each in required if marker in each.replace("'", '"')
    ]
    return f"pip install {' '.join(map(shlex.quote, wanted or [f'{_NAME}[{extra}]']))}"
