"""Detecting systemd's journal, and adding priorities to lines."""

from __future__ import annotations

import logging
import os
from typing import TextIO

_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
_DEBUG = 7


def is_journal(stream: TextIO | None) -> bool:
    """Whether a stream is connected to the journal, by `$JOURNAL_STREAM`."""
    journal = os.environ.get("JOURNAL_STREAM")
    if not journal or stream is None:
        return False
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):  # closed, or no file at all
        return False
    return journal == f"{status.st_dev}:{status.st_ino}"


def with_priority(text: str, level: int) -> str:
    """Prefix each line with its priority for the journal: `<4>` is a warning.

    Args:
        text: one line or several.
        level: `logging.WARNING`.
    """
    priority = next((number for least, number in _PRIORITIES if level >= least), _DEBUG)
    return "\n".join(f"<{priority}>{line}" for line in text.split("\n"))
