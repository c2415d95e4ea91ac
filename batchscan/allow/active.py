"""The active allow rules, and the match summary of a view with them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from batchscan.allow import AllowRules, Rule, Usage, read_rules
from batchscan.ledger import Ledger, Perspective, ReportView, Scope
from batchscan.report_sections import MatchSummary
from batchscan.settings import Settings
from batchscan.util.paths import is_url
from batchscan.util.timestamps import utc_date


@dataclass(frozen=True, slots=True)
class ActiveAllowRules:
    """The allow rules that hold on one day."""

    rules: AllowRules
    today: date

    @classmethod
    def of(cls, settings: Settings, now: float) -> ActiveAllowRules:
        """Read the rules of the settings; blocking.

        Raises:
            UsageError: they cannot be read.
        """
        named = settings.scan.allow
        rules = AllowRules() if named is None else read_rules(Path(named), named=True)
        return cls(rules, utc_date(now))

    def allows(self, url: str, sha256: str, paths: Sequence[bytes]) -> bool:
        """Whether a rule covers a match.

        Only existing paths of a picture count; if none exists, as when a disk is not mounted, all
        known ones do.
        """
        return (
            self.rules.rule_for(url, sha256, lambda: existing_paths(paths), self.today) is not None
        )

    @property
    def in_force(self) -> frozenset[Rule]:
        """The rules whose date is not past."""
        return frozenset(rule for rule in self.rules.rules if rule.holds(self.today))

    @property
    def depends_on_paths(self) -> bool:
        """Whether what is allowed depends on where pictures are."""
        return any(rule.images is not None for rule in self.rules.rules)

    @property
    def signature(self) -> list[str]:
        """Identifies the rules that hold on this day, for fingerprints."""
        return [f"{rule!r} {rule.holds(self.today)}" for rule in self.rules.rules]

    def view(self, ledger: Ledger, scope: Scope, runs: Sequence[str]) -> ReportView:
        """A view of a scope with these rules; matches of `runs` are new."""
        return ledger.view(scope, runs, self.allows if self.rules.rules else None)

    def perspective(self, runs: Sequence[str]) -> Perspective:
        """A perspective with these rules; matches of `runs` are new."""
        return Perspective(tuple(runs), self.allows if self.rules.rules else None)


def existing_paths(paths: Sequence[bytes]) -> Sequence[bytes]:
    """The paths that exist; all of them if none does."""
    return [path for path in paths if is_url(path) or os.path.lexists(path)] or paths


def summarize(view: ReportView, allowing: ActiveAllowRules) -> MatchSummary:
    """The match summary of a view."""
    usage = Usage(allowing.rules, allowing.today)
    return view.summary(
        lambda url, sha256, paths: usage.add(url, sha256, existing_paths(paths)), usage.uses
    )
