"""Allow rules, and finding the first one that covers a match."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TypeAlias

from batchscan.path_patterns import PathPattern
from batchscan.report_sections import AllowRule
from batchscan.url_patterns import ParsedUrl, UrlPattern
from batchscan.util.escaping import printable, replace_surrogates

Paths: TypeAlias = Callable[[], Iterable[bytes]] | Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; all of its conditions must hold, and at least one is given."""

    reason: str
    target: UrlPattern | None = None
    images: PathPattern | None = None
    sha256: str | None = None
    by: str | None = None
    until: date | None = None  # it holds through the end of this day, UTC
    line: int = field(default=0, compare=False)  # of its file

    @property
    def what(self) -> str:
        """A description for users: `example.com, pictures stock/`."""
        parts = [
            str(self.target) if self.target else None,
            f"pictures {self.images}" if self.images else None,
            f"picture {self.sha256[:12]}..." if self.sha256 else None,
        ]
        return printable(", ".join(part for part in parts if part))

    def holds(self, today: date) -> bool:
        """Whether its date is not past."""
        return self.until is None or today <= self.until

    def covers(self, match: MatchContext) -> bool:
        """Whether all conditions but the date hold for a match."""
        return (
            (self.sha256 is None or self.sha256 == match.sha256)
            and (self.target is None or self.target.covers_address(match.address))
            and (self.images is None or any(map(self.images.covers, match.paths)))
        )


class MatchContext:
    """The properties of a match that rules compare."""

    def __init__(self, url: str, sha256: str, paths: Paths) -> None:
        self.address = ParsedUrl(url)
        self.sha256 = sha256
        self._paths = paths

    @cached_property
    def paths(self) -> tuple[bytes, ...]:
        """The picture's paths; computed when a rule first needs them."""
        return tuple(self._paths() if callable(self._paths) else self._paths)


class AllowRules:
    """The rules of a file in order, indexed for comparing many matches."""

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self.rules = tuple(rules)
        # Numbers of rules by the first thing that decides; a match asks those few only:
        self._of_host: dict[str, list[int]] = {}
        self._of_picture: dict[str, list[int]] = {}
        self._of_any: list[int] = []
        for number, rule in enumerate(self.rules):
            if rule.sha256 is not None:
                self._of_picture.setdefault(rule.sha256, []).append(number)
            elif rule.target is not None and rule.target.host:
                self._of_host.setdefault(rule.target.host, []).append(number)
            else:
                self._of_any.append(number)

    def rule_for(self, url: str, sha256: str, paths: Paths, today: date) -> int | None:
        """The number of the first rule that covers a match on a day, from 0; None if none does.

        Args:
            url: of the match, from outside.
            sha256: of our picture.
            paths: of our picture, or a function that returns them; called only if needed.
            today: the day, in UTC.
        """
        return next(self.rules_for(url, sha256, paths, today), None)

    def rules_for(self, url: str, sha256: str, paths: Paths, today: date) -> Iterator[int]:
        """The numbers of all rules that cover a match on a day, the first one first."""
        match = MatchContext(url, sha256, paths)
        for number in sorted(self._domains_asked(match)):
            rule = self.rules[number]
            if rule.holds(today) and rule.covers(match):
                yield number

    def _domains_asked(self, match: MatchContext) -> Iterator[int]:
        yield from self._of_any
        yield from self._of_picture.get(match.sha256, ())
        above = match.address.host if self._of_host else ""
        while above:
            yield from self._of_host.get(above, ())
            above = above.partition(".")[2]


class Usage:
    """Counts how many matches each rule covers."""

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

    def uses(self) -> tuple[AllowRule, ...]:
        """Each rule with its count, in the order of the file."""
        return tuple(
            AllowRule(
                what=replace_surrogates(rule.what),
                reason=replace_surrogates(rule.reason),
                by=rule.by and replace_surrogates(rule.by),
                until=rule.until.isoformat() if rule.until else None,
                expired=not rule.holds(self._today),
                covers=covers,
            )
            for rule, covers in zip(self._rules.rules, self._covers, strict=True)
        )
