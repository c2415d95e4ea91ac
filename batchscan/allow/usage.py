"""How many matches each rule covers."""

from __future__ import annotations

from datetime import date

from batchscan.allow.rules import AllowRules, Paths
from batchscan.digest import RuleUse


class Usage:
    """Counts, while the matches go by."""

    def __init__(self, rules: AllowRules, today: date) -> None:
        self.matches = 0
        self.allowed = 0
        self._rules = rules
        self._today = today
        self._covers = [0] * len(rules.rules)

    def add(self, url: str, sha256: str, paths: Paths) -> None:
        """Count a match for every rule that covers it, not for the first one only."""
        self.matches += 1
        covered = False
        for number in self._rules.rules_for(url, sha256, paths, self._today):
            self._covers[number] += 1
            covered = True
        self.allowed += covered

    def uses(self) -> tuple[RuleUse, ...]:
        """Each rule with its count, in the order of the file."""
        return tuple(
            RuleUse(
                what=rule.what,
                reason=rule.reason,
                by=rule.by,
                until=rule.until,
                expired=not rule.holds(self._today),
                covers=covers,
            )
            for rule, covers in zip(self._rules.rules, self._covers, strict=True)
        )
