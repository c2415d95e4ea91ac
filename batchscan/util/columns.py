"""How many columns of a terminal text takes: Chinese and Japanese characters take two each."""

from __future__ import annotations

import unicodedata


def columns(text: str) -> int:
    """The columns that a line takes; none for marks that combine with a character."""
    if text.isascii():
        return len(text)
    return sum(columns_of(each) for each in text if not unicodedata.combining(each))


def columns_of(character: str) -> int:
    """The columns of one character, 1 or 2; 1 also for a mark, so that no text is endless."""
    return 2 if unicodedata.east_asian_width(character) in "FW" else 1
