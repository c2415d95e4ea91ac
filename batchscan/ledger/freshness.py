"""What "unchanged" means: a file's state, and whether its verdict still holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

# Name, size, mtime_ns, ctime_ns: a plain tuple, because there may be millions.
FileStat: TypeAlias = tuple[str, int, int, int]


def rejected_under(all_rules: str, rules: str) -> bool:
    """Whether a rejection's rules are all of these, or those of them without conversions."""
    return all_rules == rules or all_rules.startswith(f"{rules}-")


@dataclass(frozen=True, slots=True)
class FreshnessPolicy:
    """What "unchanged" means in this run."""

    rules: str  # the fingerprint of the rules that files are rejected under
    run_id: str  # its own answers hold, whatever the clock said when they came
    answers_since: float  # 0 keeps all answers, infinity those of this run only
    matched_since: float | None = None  # the same for pictures with matches, where it differs
    now: float = 0.0
    conversion_rules: str = ""  # those of rejections that a conversion might avoid, or led to
    covers: bool = False  # whether what is covered by another picture's answer has its verdict

    @property
    def all_rules(self) -> str:
        """The fingerprint of all rules."""
        return self.conversion_rules or self.rules

    @property
    def block_rules(self) -> str:
        """What a whole block's verdicts depend on."""
        return f"{self.all_rules}-cover" if self.covers else self.all_rules

    def is_current(
        self, rules: str | None, run_id: str | None, received_at: float | None, *, matched: bool
    ) -> bool:
        """Whether a verdict holds: a rejection under rules, or an answer of a run."""
        if rules is not None:
            return rules in (self.rules, self.conversion_rules)
        return received_at is not None and self.is_answer_current(
            run_id, received_at, matched=matched
        )

    def is_answer_current(self, run_id: str | None, received_at: float, *, matched: bool) -> bool:
        """Whether an answer is recent enough; one from the future came before a clock stepped."""
        return run_id == self.run_id or received_at >= self.cutoff(matched=matched)

    def cutoff(self, *, matched: bool) -> float:
        """The moment from which on answers hold."""
        if matched and self.matched_since is not None:
            return self.matched_since
        return self.answers_since

    def effective_time(self, received_at: float, *, matched: bool) -> float:
        """When an answer counts as having come; where matches count, twice as long ago."""
        twice = matched and self.matched_since is not None
        return received_at - (self.now - received_at if twice else 0.0)
