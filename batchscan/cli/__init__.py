"""The command line: words → settings → scan → exit code; one file a command."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and give the process's exit code.

    Args:
        words: the command line without the program's name; the process's own by default.
    """
    from batchscan.cli.dispatch import dispatch  # noqa: PLC0415 - importing us stays free of click

    return dispatch(list(sys.argv[1:] if words is None else words))
