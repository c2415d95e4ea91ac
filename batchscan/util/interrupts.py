"""Interrupts that were raised inside a callback of SQLite, which turns any exception into its own.

Ctrl+C during such a callback looks as if the ledger could not be used.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Hook = Callable[[sys.UnraisableHookArgs], object]

_OURS = "batchscan."


class _Noting:
    """Notes interrupts that were not raised any further; leaves the rest to the hook before it."""

    def __init__(self, before: Hook) -> None:
        self._before = before
        self.interrupted = False

    def __call__(self, unraisable: sys.UnraisableHookArgs) -> None:
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            self.interrupted = True
        elif not str(getattr(unraisable.object, "__module__", "")).startswith(_OURS):
            self._before(unraisable)


def note_swallowed() -> None:
    """Note interrupts that SQLite swallows in this process from now on."""
    import sqlite3  # noqa: PLC0415 - --help does without

    if not isinstance(sys.unraisablehook, _Noting):
        sys.unraisablehook = _Noting(sys.unraisablehook)
    sqlite3.enable_callback_tracebacks(True)  # to the hook; without it they are not seen at all


def was_swallowed() -> bool:
    """Whether an interrupt was swallowed, so that an error that followed may be its doing."""
    hook = sys.unraisablehook
    return isinstance(hook, _Noting) and hook.interrupted
