"""Whether a file's verdict still holds: by its state, the rules, and the age of the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from batchscan.ledger.known import KnownPicture

# Name, size, mtime_ns, ctime_ns: a plain tuple, because there may be millions of them.
FileStat: TypeAlias = tuple[str, int, int, int]


def rejected_under(all_rules: str, rules: str) -> bool:
    """Whether a rejection's rules are these, with or without those for conversions."""
    return all_rules == rules or all_rules.startswith(f"{rules}-")


@dataclass(frozen=True, slots=True)
class FreshnessPolicy:
    """Which verdicts hold in this run."""

    rules: str  # the fingerprint of the rules for rejecting files
    run_id: str  # this run's answers hold, even if the clock was wrong
    answers_since: float  # seconds since 1970; 0 for all answers, infinity for this run's only
    matched_since: float | None = None  # the same for pictures with matches; None if equal
    now: float = 0.0
    conversion_rules: str = ""  # the fingerprint of the rules for conversions
    covers: bool = False  # whether files covered by another picture's answer have a verdict

    @property
    def all_rules(self) -> str:
        """The fingerprint of all rules."""
        return self.conversion_rules or self.rules

    @property
    def block_rules(self) -> str:
        """A fingerprint of everything that the verdicts of a block depend on."""
        return f"{self.all_rules}-cover" if self.covers else self.all_rules

    def is_current(
        self, rules: str | None, run_id: str | None, received_at: float | None, *, matched: bool
    ) -> bool:
        """Whether a verdict holds: a rejection under `rules`, or an answer of a run."""
        if rules is not None:
            return rules in (self.rules, self.conversion_rules)
        return received_at is not None and self.is_answer_current(
            run_id, received_at, matched=matched
        )

    def is_known_current(self, picture: KnownPicture) -> bool:
        """Whether there is an answer to a content, and it is recent enough."""
        stored = picture.answer
        return stored is not None and self.is_answer_current(
            stored.run_id, stored.received_at, matched=bool(picture.history)
        )

    def is_answer_current(self, run_id: str | None, received_at: float, *, matched: bool) -> bool:
        """Whether an answer is recent enough; one from the future is taken for a clock change."""
        return run_id == self.run_id or received_at >= self.cutoff(matched=matched)

    def cutoff(self, *, matched: bool) -> float:
        """The time from which on answers hold, in seconds since 1970."""
        if matched and self.matched_since is not None:
            return self.matched_since
        return self.answers_since

    def effective_time(self, received_at: float, *, matched: bool) -> float:
        """The time by which rescans are ordered, in seconds since 1970.

        If pictures with matches have an interval of their own, their answers count as twice as old.
        """
        twice = matched and self.matched_since is not None
        return received_at - (self.now - received_at if twice else 0.0)
