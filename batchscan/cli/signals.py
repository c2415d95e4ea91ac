"""What signals do: the first one asks the run to stop, the second one ends the process."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from batchscan.cli.terminal import on_new_line, say


@contextmanager
def stopping(request: Callable[[int], None]) -> Iterator[None]:
    """Pass stop signals to a run that is under way in this loop.

    Args:
        request: asks the run to stop; gets the signal's number, at most once.
    """
    loop = asyncio.get_running_loop()
    handler = _Handler(request)
    signals = heeded(signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for signum in signals:
        loop.add_signal_handler(signum, handler, signum)
    try:
        yield
    finally:
        for signum in signals:
            loop.remove_signal_handler(signum)


def heeded(*signals: signal.Signals) -> list[signal.Signals]:
    """Those of the signals that the process was not started to ignore.

    nohup starts it with SIGHUP ignored, a shell's `&` without job control with SIGINT.
    """
    return [signum for signum in signals if signal.getsignal(signum) is not signal.SIG_IGN]


class _Handler:
    def __init__(self, request: Callable[[int], None]) -> None:
        self._request = request
        self._asked = False

    def __call__(self, signum: int) -> None:
        if self._asked:
            _end_at_once(signum)
        self._asked = True
        on_new_line()
        say("batchscan: finishing what is under way (it is paid for); once more stops at once")
        self._request(signum)


def _end_at_once(signum: int) -> None:
    on_new_line()
    os._exit(128 + signum)  # no clean-up that could wait for the network; the ledger is consistent
