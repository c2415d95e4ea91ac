"""The command line: each module declares the options of one command."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; returns the process's exit code.

    Args:
        words: the command line without the program's name; the process's own by default.
    """
    if words is not None:
        return _dispatch(words)
    _open_standard_streams()
    python = signal.getsignal(signal.SIGINT)
    ours = python is signal.default_int_handler  # else it is ignored, as under nohup
    try:
        if ours:  # while modules are loaded there is nothing to clean up
            signal.signal(signal.SIGINT, _end_at_once)
            from batchscan.cli import dispatch  # noqa: F401, PLC0415 - for the loading

            signal.signal(signal.SIGINT, python)
        return _dispatch(sys.argv[1:])
    except KeyboardInterrupt:  # a second one, while the first was being answered
        return 128 + signal.SIGINT
    finally:
        if ours:  # while Python ends, it would be a traceback
            signal.signal(signal.SIGINT, _end_at_once)


def _dispatch(words: Sequence[str]) -> int:
    from batchscan.cli.dispatch import dispatch  # noqa: PLC0415 - importing us stays free of click

    return dispatch(list(words))


def _end_at_once(signum: int, _frame: object) -> None:
    os._exit(128 + signum)


def _open_standard_streams() -> None:
    """Open stdin, stdout and stderr on /dev/null if the process was started without them.

    Otherwise the next files that are opened get their numbers: the ledger would be where messages
    are written to, and libuv ends the process when it closes such a socket.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            nothing = os.open(os.devnull, os.O_RDWR)  # gets the lowest number, which is this one
            os.set_inheritable(nothing, True)
