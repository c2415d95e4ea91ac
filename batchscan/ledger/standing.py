"""What "unchanged" means: a file's state, and whether its verdict still holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

# Name, size, mtime_ns, ctime_ns: a plain tuple, because there may be millions.
FileState: TypeAlias = tuple[str, int, int, int]


@dataclass(frozen=True, slots=True)
class Standing:
    """What "unchanged" means in this run."""

    rules: str  # the fingerprint of the rules that files are rejected under
    answers_since: float  # older answers are asked for again; 0 keeps them for ever

    def keeps(self, rules: str | None, received_at: float | None) -> bool:
        """Whether a verdict holds: a rejection under rules, or an answer received then."""
        if rules is not None:
            return rules == self.rules
        return received_at is not None and received_at >= self.answers_since
