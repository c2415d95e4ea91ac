"""Name and version of this program, for servers and for users."""

from __future__ import annotations

import shlex
from functools import cache

_NAME = "batchscan"


@cache
def version() -> str:
    """The installed version."""
    from importlib import metadata  # noqa: PLC0415 - slow to import: it loads the email package

    return metadata.version(_NAME)


def user_agent() -> str:
    """The User-Agent header for the vendor's servers."""
    return f"batchscan/{version()}"


def install_line(extra: str) -> str:
    """The command that installs the packages of an extra.

    It names the packages rather than `batchscan[extra]`: pip would look for that on an index that
    batchscan may not have been installed from.
    """
    from importlib import metadata  # noqa: PLC0415 - slow to import: it loads the email package

    marker = f'extra == "{extra}"'
    try:
        required = metadata.requires(_NAME) or []
    except metadata.PackageNotFoundError:
        required = []
    wanted = [
        requirement.partition(";")[0].strip()
        for requirement in required
        if marker in requirement.replace("'", '"')
    ]
    return f"pip install {' '.join(map(shlex.quote, wanted or [f'{_NAME}[{extra}]']))}"
