"""The command line: words → settings → scan → exit code; one file a command."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and give the process's exit code.

    Args:
        words: the command line without the program's name; the process's own by default.
    """
    _open_standard_streams()
    from batchscan.cli.dispatch import dispatch  # noqa: PLC0415 - importing us stays free of click

    return dispatch(list(sys.argv[1:] if words is None else words))


def _open_standard_streams() -> None:
    """Point stdin, stdout and stderr at nothing where the process was started without them.

    Otherwise the next files that are opened get their numbers: the ledger would be where messages
    are written to, and libuv ends the process when it closes such a socket.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            nothing = os.open(os.devnull, os.O_RDWR)  # gets the lowest number, which is this one
            os.set_inheritable(nothing, True)
