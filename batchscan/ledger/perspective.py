"""Whether a match counts as new, and whether it is allowed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

# Whether a rule allows a match, given its URL, and SHA-256 and paths of the picture.
Allows: TypeAlias = Callable[[str, str, Sequence[bytes]], bool]


class Perspective(NamedTuple):
    """The runs and rules for which matches are read; by default none is new and none allowed."""

    news_of: tuple[str, ...] = ()  # the runs whose matches count as new
    allows: Allows | None = None  # None without rules
