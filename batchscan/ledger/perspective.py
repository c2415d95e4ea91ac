"""From where matches are looked at: which are new there, and which are allowed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

# Says of a match's URL, the picture's SHA-256 and the picture's paths whether a rule allows it.
Allows: TypeAlias = Callable[[str, str, Sequence[bytes]], bool]


class Perspective(NamedTuple):
    """From where matches are looked at; by default nothing is new, and nothing is allowed."""

    news_of: tuple[str, ...] = ()  # the runs whose matches are new
    allows: Allows | None = None  # None without rules
